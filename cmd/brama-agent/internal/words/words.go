// Package words holds the texts of the agent's windows in Ukrainian and English. The agent has windows of its own, so that
// these are not among the texts of the pages; the terms are the same.
package words

import (
	"fmt"
	"time"
)

// Words are the texts of one language. {0} and so on are filled by [Fill].
type Words struct {
	Title, OK, Next, Cancel                     string
	Phrase, ChoosePhrase, PhraseAgain           string
	Site, Portal, Purpose, FirstTime, WillAsk   string
	Insert, Removed, ModuleFailed               string
	ChooseKey, Unusable, NoCertificate, OnToken string
	Expired, NotYet, Seal, Encryption, NotForIt string
	Until, IssuedBy                             string
	PIN, PINWrong, PINLow, PINFinal, PINExpired string
	PINAgain, PINPad, FinalConfirm, Locked      string
	SignAs                                      string
}

// Ukrainian is the first language.
var Ukrainian = Words{
	Title: "Brama: захищений носій", OK: "Продовжити", Next: "Далі", Cancel: "Скасувати",

	Phrase: "Ваша фраза: {0}",
	ChoosePhrase: "Придумайте фразу, від 4 до 60 знаків. Програма показуватиме її в кожному своєму вікні. " +
		"Вікно, де просять PIN-код, а цієї фрази немає, показує не вона.",
	PhraseAgain: "Фраза має бути від 4 до 60 знаків, без керівних символів.",

	Site:      "Сайт: {0}",
	Portal:    "Ви входите на: {0}",
	Purpose:   "Буде підписано лише вхід. Документ не підписується.",
	FirstTime: "Цей сайт звертається до програми вперше. Продовжуйте, лише якщо ви самі щойно почали вхід на ньому.",
	WillAsk:   "Якщо ви не починали входу, скасуйте.",

	Insert:       "Під'єднайте носій або вставте картку в зчитувач і натисніть «Далі».",
	Removed:      "Носій від'єднано. Під'єднайте його знову й натисніть «Далі».",
	ModuleFailed: "Програма виробника носія ({0}) не відповіла або аварійно завершилася. Інші носії це не зачіпає.",

	ChooseKey:     "Оберіть ключ, яким підписати.",
	Unusable:      "Не підходить: {0} ({1}).",
	NoCertificate: "ключ без сертифіката на носії",
	OnToken:       "{0}, серійний …{1}",
	Expired:       "строк дії минув {0}",
	NotYet:        "почне діяти {0}",
	Seal:          "електронна печатка",
	Encryption:    "для шифрування",
	NotForIt:      "не для підпису",
	Until:         "до {0}",
	IssuedBy:      "видав {0}",

	PIN:          "Введіть PIN-код носія «{0}».",
	PINWrong:     "Неправильний PIN-код.",
	PINLow:       "Залишилося мало спроб.",
	PINFinal:     "Це остання спроба: після ще одного неправильного PIN-коду носій заблокується.",
	PINExpired:   "PIN-код треба спершу змінити програмою виробника носія.",
	PINAgain:     "Носій просить PIN-код ще раз, щоб підписати.",
	PINPad:       "Натисніть «Далі» і введіть PIN-код на клавіатурі зчитувача.",
	FinalConfirm: "У носія «{0}» залишилася одна спроба. Якщо PIN-код буде неправильним, носій заблокується, і ми не можемо його розблокувати. Продовжити?",
	Locked:       "Носій заблоковано після кількох неправильних PIN-кодів. Ми не можемо його розблокувати: зверніться до виробника носія або надавача.",

	SignAs: "Знайдено сертифікат: {0}. Підписати ним вхід?",
}

// English is the second language.
var English = Words{
	Title: "Brama: hardware token", OK: "Continue", Next: "Next", Cancel: "Cancel",

	Phrase: "Your phrase: {0}",
	ChoosePhrase: "Think of a phrase of 4 to 60 characters. This program will show it in each of its windows. " +
		"A window that asks for a PIN without this phrase is not of this program.",
	PhraseAgain: "The phrase must have 4 to 60 characters, none of them control characters.",

	Site:      "Site: {0}",
	Portal:    "You are signing in to: {0}",
	Purpose:   "Only the sign-in will be signed. No document is signed.",
	FirstTime: "This site calls this program for the first time. Continue only if you have just begun to sign in there yourself.",
	WillAsk:   "If you did not begin to sign in, cancel.",

	Insert:       "Connect the token or insert the card, then press “Next”.",
	Removed:      "The token was removed. Connect it again, then press “Next”.",
	ModuleFailed: "The token maker's program ({0}) did not answer or crashed. Other tokens are not affected.",

	ChooseKey:     "Choose the key to sign with.",
	Unusable:      "Not suitable: {0} ({1}).",
	NoCertificate: "key without a certificate on the token",
	OnToken:       "{0}, serial …{1}",
	Expired:       "expired on {0}",
	NotYet:        "valid from {0}",
	Seal:          "electronic seal",
	Encryption:    "for encryption",
	NotForIt:      "not for signing",
	Until:         "until {0}",
	IssuedBy:      "issued by {0}",

	PIN:          "Enter the PIN of the token “{0}”.",
	PINWrong:     "Wrong PIN.",
	PINLow:       "Few attempts are left.",
	PINFinal:     "This is the last attempt: one more wrong PIN locks the token.",
	PINExpired:   "The PIN must first be changed with the token maker's program.",
	PINAgain:     "The token asks for the PIN once more to sign.",
	PINPad:       "Press “Next” and enter the PIN on the reader's keypad.",
	FinalConfirm: "The token “{0}” has one attempt left. If the PIN is wrong, the token locks, and we cannot unlock it. Continue?",
	Locked:       "The token is locked after several wrong PINs. We cannot unlock it: ask the token's maker or the issuer.",

	SignAs: "Certificate found: {0}. Sign the sign-in with it?",
}

// Of returns the texts of a language: English for "en", Ukrainian for any other.
func Of(language string) *Words {
	if language == "en" {
		return &English
	}
	return &Ukrainian
}

// Fill puts values into the places {0}, {1} and so on of a text. Values are not searched for places.
func Fill(text string, values ...string) string {
	var out []byte
	for i := 0; i < len(text); i++ {
		if text[i] == '{' && i+2 < len(text) && text[i+2] == '}' && int(text[i+1]-'0') < len(values) {
			out = append(out, values[text[i+1]-'0']...)
			i += 2
			continue
		}
		out = append(out, text[i])
	}
	return string(out)
}

// Date writes a day as people here write it.
func Date(t time.Time) string {
	t = t.Local()
	return fmt.Sprintf("%02d.%02d.%04d", t.Day(), t.Month(), t.Year())
}
