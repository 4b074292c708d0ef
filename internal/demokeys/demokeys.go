// Package demokeys makes the key folder of `brama dev`: one invented person for each outcome that a sign-in can have, as key
// containers in every format, and signs as any of them for the method demo. The keys are new at each start and worth
// nothing: the provider that issued them is a double (package qestest), which it drives but does not own.
package demokeys

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"brama/internal/qes"
	"brama/internal/qes/cert"
	"brama/internal/qes/cms"
	"brama/internal/qes/qestest"
)

// Password opens every container.
const Password = "brama-demo"

// Outcomes, by which persons and files are named.
const (
	Valid         = "valid"          // a natural person
	ValidOfficial = "valid-official" // the same, as director of an organisation
	Seal          = "seal"
	Expired       = "expired"
	NotYetValid   = "not-yet-valid"
	Revoked       = "revoked"
	Suspended     = "suspended"
	Unknown       = "unknown"      // the responder has never heard of the certificate
	NoTaxNo       = "no-taxno"     // no identifier of a person at all
	OtherIssuer   = "other-issuer" // issued by the second of the two issuers
	Multi         = "multi"        // three keys with certificates in one container
	NoCert        = "no-cert"      // no certificate, neither inside nor by search
	Damaged       = "damaged"      // the file is cut short
)

// A Set is the demo persons with their keys. It is safe for concurrent use.
type Set struct {
	provider *qestest.Provider
	persons  []person
}

type person struct {
	outcome string
	issued  []*qestest.Issued // several for Multi
	signer  *cms.Prepared     // the first of them
}

// birthday is the one that the invented numbers begin with: the 12345th day of the count.
var birthday = time.Date(1899, 12, 31, 0, 0, 0, 0, time.UTC).AddDate(0, 0, 12345)

// taxNumber makes a РНОКПП with a right check digit: five digits of the birthday, four of a sequence.
func taxNumber(sequence int) string {
	digits := fmt.Sprintf("12345%04d", sequence)
	sum := 0
	for i, w := range [...]int{-1, 5, 7, 9, 4, 6, 10, 5, 7} {
		sum += w * int(digits[i]-'0')
	}
	return digits + strconv.Itoa(((sum%11)+11)%11%10)
}

// unzr makes the number of the demographic register that goes with it.
func unzr(sequence int) string {
	return birthday.Format("20060102") + fmt.Sprintf("-%05d", sequence)
}

// A plan is what is issued for one outcome.
type plan struct {
	outcome  string
	requests []qestest.Request
}

// plans lists the outcomes in the order of the form's buttons.
func plans(now time.Time) []plan {
	someone := func(sequence int, family, given, middle string) qestest.Request {
		return qestest.Request{
			FamilyName: family, GivenName: given, MiddleName: middle,
			RNOKPP: taxNumber(sequence), UNZR: unzr(sequence), WithAgreement: true,
		}
	}
	olena := someone(6789, "Тестенко", "Олена", "Петрівна")
	official := olena
	official.Kind, official.Title = qestest.Employee, "директор"
	official.Organization, official.EDRPOU = "ТОВ «Тестовий приклад»", "10000108"
	seal := qestest.Request{Kind: qestest.Seal, Organization: official.Organization, EDRPOU: official.EDRPOU, WithAgreement: true}
	expired := someone(101, "Минулий", "Степан", "Іванович")
	expired.NotBefore, expired.NotAfter = now.AddDate(-2, 0, 0), now.AddDate(0, 0, -30)
	early := someone(102, "Майбутня", "Ганна", "Степанівна")
	early.NotBefore, early.NotAfter = now.AddDate(0, 0, 30), now.AddDate(2, 0, 0)
	revoked := someone(103, "Скасований", "Тарас", "Андрійович")
	revoked.Status = qestest.Revoked
	suspended := someone(104, "Заблокована", "Марія", "Тарасівна")
	suspended.Status = qestest.Suspended
	unknown := someone(105, "Невідомий", "Павло", "Олексійович")
	unknown.Status = qestest.Unknown
	nameless := someone(0, "Безномерна", "Софія", "Павлівна")
	nameless.RNOKPP, nameless.UNZR = "", ""
	other := someone(106, "Вербовий", "Остап", "Григорович")
	other.Authority = qestest.Second
	own := someone(107, "Трикутна", "Ірина", "Остапівна")
	employee, trader := own, own
	employee.Kind, employee.Title = qestest.Employee, "бухгалтерка"
	employee.Organization, employee.EDRPOU = official.Organization, official.EDRPOU
	trader.Kind = qestest.Entrepreneur
	hidden := someone(108, "Загублений", "Роман", "Ілліч")
	hidden.Unpublished = true
	broken := someone(109, "Зламаний", "Юрій", "Романович")
	one := func(outcome string, r qestest.Request) plan { return plan{outcome, []qestest.Request{r}} }
	return []plan{
		one(Valid, olena), one(ValidOfficial, official), one(Seal, seal), one(Expired, expired), one(NotYetValid, early),
		one(Revoked, revoked), one(Suspended, suspended), one(Unknown, unknown), one(NoTaxNo, nameless), one(OtherIssuer, other),
		{Multi, []qestest.Request{own, employee, trader}}, one(NoCert, hidden), one(Damaged, broken),
	}
}

// New issues the keys of all persons at p.
func New(p *qestest.Provider) (*Set, error) {
	s := &Set{provider: p}
	for _, plan := range plans(p.Now()) {
		one := person{outcome: plan.outcome}
		for _, r := range plan.requests {
			issued, err := p.Issue(r)
			if err != nil {
				return nil, fmt.Errorf("demokeys: issuing %s: %w", plan.outcome, err)
			}
			one.issued = append(one.issued, issued)
		}
		var err error
		if one.signer, err = cms.Prepare(one.issued[0].Key, one.issued[0].Certificate.Raw); err != nil {
			return nil, fmt.Errorf("demokeys: %s: %w", plan.outcome, err)
		}
		s.persons = append(s.persons, one)
	}
	return s, nil
}

// Persons returns the outcomes in the order of the form's buttons, Valid first.
func (s *Set) Persons() []string {
	var list []string
	for _, p := range s.persons {
		list = append(list, p.outcome)
	}
	return list
}

// Certificates returns the certificates of a person that could sign: one, three for Multi; nil if there is no such person.
func (s *Set) Certificates(outcome string) []*cert.Certificate {
	var list []*cert.Certificate
	for _, p := range s.persons {
		if p.outcome == outcome {
			for _, i := range p.issued {
				list = append(list, i.Certificate)
			}
		}
	}
	return list
}

// Sign signs a login challenge as the person, as the browser program does: detached, with the signed attribute
// purpose=login. Who has several certificates signs with the first. The program would stop at the container of NoCert and
// Damaged, and so does this, with a *qes.Error of the same code: KEY_CERT_NOT_FOUND and KEY_DAMAGED.
func (s *Set) Sign(_ context.Context, outcome string, challenge []byte) ([]byte, error) {
	switch outcome {
	case NoCert:
		return nil, &qes.Error{Code: qes.CertMissing, Indication: qes.Failed, SubIndication: qes.SubNoSigningCertificate}
	case Damaged:
		return nil, &qes.Error{Code: KeyDamaged, Indication: qes.Failed}
	}
	for _, p := range s.persons {
		if p.outcome == outcome {
			return p.signer.Sign(cms.Options{
				Content: challenge, Detached: true, Purpose: cms.PurposeLogin, SigningTime: s.provider.Now(),
			})
		}
	}
	return nil, fmt.Errorf("demokeys: no person %q", outcome)
}

// KeyDamaged is the code that the browser program gives a container that is broken.
const KeyDamaged qes.Code = "KEY_DAMAGED"

// Files returns the containers by file name: OUTCOME.FORMAT, every format for everyone but Multi, which takes one that
// holds several keys.
func (s *Set) Files() (map[string][]byte, error) {
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		files = make(map[string][]byte)
		errs  error
	)
	for _, p := range s.persons {
		for _, format := range qestest.Formats() {
			if len(p.issued) > 1 && (format == qestest.FormatKey6 || format == qestest.FormatPKCS8) {
				continue
			}
			wg.Go(func() { // the derivation of keys from the password is made to be slow
				b, err := p.container(format)
				mu.Lock()
				defer mu.Unlock()
				files[p.outcome+"."+format] = b
				errs = errors.Join(errs, err)
			})
		}
	}
	wg.Wait()
	if errs != nil {
		return nil, errs
	}
	return files, nil
}

func (p *person) container(format string) ([]byte, error) {
	b, err := qestest.Container(format, Password, p.outcome != NoCert, p.issued...)
	if err != nil {
		return nil, fmt.Errorf("demokeys: writing %s.%s: %w", p.outcome, format, err)
	}
	if p.outcome == Damaged {
		b = b[:len(b)*2/3] // as a download that broke off
	}
	return b, nil
}

// Write writes the containers into dir, which is made if it is absent. Files of the same names are replaced.
func (s *Set) Write(dir string) error {
	files, err := s.Files()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("demokeys: %w", err)
	}
	for name, b := range files {
		err = errors.Join(err, os.WriteFile(filepath.Join(dir, name), b, 0o600))
	}
	return err
}
