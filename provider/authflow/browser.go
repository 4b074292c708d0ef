package authflow

import "strings"

// browserName names a browser as a person would: "Firefox, Windows". It is for eyes only: whoever says it can say
// anything, so only words of ours come out; "unknown" has a text
// in each language.
func browserName(userAgent string) string {
	find := func(pairs [][2]string, other string) string {
		for _, p := range pairs {
			if strings.Contains(userAgent, p[0]) {
				return p[1]
			}
		}
		return other
	}
	// The order matters: most browsers also say that they are others.
	browser := find([][2]string{{"Edg", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser", "Samsung Internet"}, {"Firefox/", "Firefox"},
		{"FxiOS", "Firefox"}, {"CriOS", "Chrome"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"}}, "?")
	system := find([][2]string{{"Android", "Android"}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Windows", "Windows"},
		{"Mac OS", "macOS"}, {"CrOS", "ChromeOS"}, {"Linux", "Linux"}}, "?")
	if browser == "?" && system == "?" {
		return "unknown"
	}
	return strings.Trim(browser+", "+system, "?, ")
}
