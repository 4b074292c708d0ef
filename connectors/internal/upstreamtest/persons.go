package upstreamtest

import "time"

// A Person is an invented one.
type Person struct {
	ID, Label             string
	Family, Given, Middle string
	Number                string // in the place of the tax number
	Organization, EDRPOU  string
	Title, UNZR, Sex      string
	Birth                 time.Time
}

// Persons are the invented ones, one for each kind of answer. The first is the usual one.
func Persons() []Person {
	birth := time.Date(1982, 2, 19, 0, 0, 0, 0, time.UTC)
	olena := Person{ID: "olena", Label: "Тестенко Олена Петрівна", Family: "Тестенко", Given: "Олена", Middle: "Петрівна",
		Number: "3000199999", UNZR: "19820219-00001", Sex: "F", Birth: birth}
	with := func(id, label string, change func(*Person)) Person {
		p := olena
		p.ID, p.Label = id, label
		change(&p)
		return p
	}
	return []Person{
		olena,
		with("official", "Вона ж, директорка ТОВ «Тестовий приклад»", func(p *Person) {
			p.Organization, p.EDRPOU, p.Title = "ТОВ «Тестовий приклад»", "10000108", "директор"
		}),
		with("fop", "Вона ж, фізична особа-підприємець", func(p *Person) { p.EDRPOU = p.Number }),
		with("apostrophe", "Прізвище з апострофом, записаним як у HTML", func(p *Person) { p.Family = "Дем&#39;яненко" }),
		with("passport", "Без РНОКПП: паспорт АА123456 латинськими літерами", func(p *Person) { p.Number, p.UNZR = "AA123456", "" }),
		with("card", "Без РНОКПП: ID-картка", func(p *Person) { p.Number, p.UNZR = "123456789", "" }),
		with("nonumber", "Без жодного номера (n/a)", func(p *Person) { p.Number, p.UNZR = "n/a", `n\a` }),
		with("placeholder", "Нулі замість РНОКПП", func(p *Person) { p.Number, p.UNZR = "0000000000", "" }),
		with("seal", "Печатка ТОВ «Тестовий приклад»", func(p *Person) {
			p.Number, p.UNZR, p.Family, p.Given, p.Middle = "", "", "", "", ""
			p.Organization, p.EDRPOU = "ТОВ «Тестовий приклад»", "10000108"
		}),
		with("noname", "Без імені", func(p *Person) { p.Family, p.Given = "", "n/a" }),
	}
}

// Find returns the person with the id, or the first.
func Find(persons []Person, id string) Person {
	for _, p := range persons {
		if p.ID == id {
			return p
		}
	}
	return persons[0]
}

// PersonChoice is the list for a page.
func PersonChoice(persons []Person) Choice {
	c := Choice{Name: "person", Label: "Особа"}
	for _, p := range persons {
		c.Options = append(c.Options, Option{p.ID, p.Label})
	}
	return c
}
