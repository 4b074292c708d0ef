package demoportal

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
)

//go:embed portal.css
var css []byte

//go:embed pages.html
var source string

var templates = template.Must(template.New("").Parse(source))

// A page is what a template sees. Texts holds the words of the page's language.
type page struct {
	Lang, Name, Error, Detail string
	Claims                    []claim
	Texts                     map[string]string
	View                      string
}

var texts = map[string]map[string]string{
	"uk": {
		"title": "Електронний кабінет", "demo": "Демонстраційний портал", "enter": "Авторизація за допомогою КЕП", "enterIDGov": "IDGOVUA",
		"register": "Зареєструватися", "leave": "Вийти",
		"intro": "Щоб побачити свої дані, увійдіть за електронним підписом.", "profile": "Мій профіль", "received": "Портал отримав ці дані:",
		"claim": "Дані", "value": "Значення", "out": "Ви вийшли з кабінету", "again": "На головну", "refused": "Вхід не виконано",
		"refusedText": "Ви повернулися без входу. Код відповіді:", "problem": "Сталася помилка", "switch": "English", "switchTo": "en",
	},
	"en": {
		"title": "Electronic cabinet", "demo": "Demo portal", "enter": "Sign in with a qualified signature", "enterIDGov": "IDGOVUA",
		"register": "Register", "leave": "Sign out",
		"intro": "To see your data, sign in with your electronic signature.", "profile": "My profile", "received": "The portal received these data:",
		"claim": "Claim", "value": "Value", "out": "You are signed out", "again": "To the start page", "refused": "You are not signed in",
		"refusedText": "You came back without signing in. Answer code:", "problem": "Something went wrong", "switch": "Українська", "switchTo": "uk",
	},
}

func (p *Portal) render(w http.ResponseWriter, status int, view string, data page) {
	if data.Lang != "en" {
		data.Lang = "uk"
	}
	data.Texts, data.View = texts[data.Lang], view
	var b bytes.Buffer
	if err := templates.ExecuteTemplate(&b, "page", data); err != nil {
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	w.Write(b.Bytes())
}

func styles(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Write(css)
}
