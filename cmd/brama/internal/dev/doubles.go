package dev

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"brama/cmd/brama/internal/systems"
	"brama/cmd/brama/internal/wiring"
	"brama/connectors"
	"brama/connectors/bankid"
	"brama/connectors/bankid/bankidtest"
	"brama/connectors/cloud"
	"brama/connectors/cloud/cloudtest"
	"brama/connectors/diia"
	"brama/connectors/diia/diiatest"
	"brama/connectors/idgov"
	"brama/connectors/idgov/idgovtest"
	"brama/connectors/mobileid"
	"brama/connectors/mobileid/mobileidtest"
	"brama/internal/fetch"
	"brama/internal/qes/qestest"
	"brama/provider"
	"brama/storage"
)

// Doubles says where the doubles of other people's systems answer: each has a port of its own.
type Doubles struct {
	Diia     string `json:"diia"` // the page lists requests that wait
	IDGov    string `json:"idgov"`
	BankID   string `json:"bankid"`
	Cloud    string `json:"cloud"`    // the telephone's page
	Async    string `json:"async"`    // the same, of the cloud that signs when it has the approval
	Smart    string `json:"smart"`    // the same, of the SmartID family
	MobileID string `json:"mobileid"` // the telephone's page
	// Number is that of the person in Cloud and MobileID; Numbers are all that the person has, since one is rung three times
	// in ten minutes and not more. Email is that of the cloud with a one-time code.
	Number  string   `json:"number"`
	Numbers []string `json:"numbers"`
	Email   string   `json:"email"`
}

// olenaNumbers are those of the person whom the telephones of the doubles know.
func olenaNumbers() []string {
	var list []string
	for i := range 24 {
		list = append(list, fmt.Sprintf("+3805012345%02d", 67+i))
	}
	return list
}

// olena is the person's name, and olenaEmail an address of hers.
const (
	olena      = "Тестенко Олена Петрівна"
	olenaEmail = "olena@example.org"
)

// asyncPath is where the second cloud stands at the address of the first.
const asyncPath = "/async"

// smartPath is where the double of the SmartID family stands there.
const smartPath = "/smart"

// tellTime bounds one notification of a double.
const tellTime = 10 * time.Second

// doubles are the systems that the methods of this file talk to, and the methods.
type doubles struct {
	issuer   string
	secret   []byte
	engine   *wiring.Engine
	outbound *fetch.Client
	services *qestest.Provider
	wait     time.Duration // life of a request to a telephone; 0 is the usual one
	scope    diia.Scope    // of the offer at Дія
	store    storage.Store

	where    Doubles
	methods  map[string]connectors.Connector
	sites    []wiring.Site
	provider atomic.Pointer[provider.Provider] // set when it is there; notifications go to it
	close    []func()
}

// base is the address of a listener.
func base(l net.Listener) string { return "http://" + l.Addr().String() }

// start makes the doubles and the methods that talk to them. What is served stops with ctx.
func (d *doubles) start(ctx context.Context, log *slog.Logger, listeners []net.Listener) error {
	d.methods = map[string]connectors.Connector{}
	d.where = Doubles{Diia: base(listeners[0]), IDGov: base(listeners[1]), BankID: base(listeners[2]),
		Cloud: base(listeners[3]) + "/phone", Async: base(listeners[3]) + asyncPath + "/phone", Smart: base(listeners[3]) + smartPath + "/phone", MobileID: base(listeners[4]) + "/phone",
		Numbers: olenaNumbers(), Email: olenaEmail}
	d.where.Number = d.where.Numbers[0]
	person, err := d.services.Issue(qestest.Request{FamilyName: "Тестенко", GivenName: "Олена", MiddleName: "Петрівна", RNOKPP: "3184710691",
		UNZR: "19870312-00691", Device: true})
	if err != nil {
		return err
	}
	stranger, err := d.services.Issue(qestest.Request{FamilyName: "Чужий", GivenName: "Остап", MiddleName: "Іванович", RNOKPP: "3000142422"})
	if err != nil {
		return err
	}
	makers := []func(net.Listener) (http.Handler, error){d.diia, d.idgov, d.bankid,
		func(l net.Listener) (http.Handler, error) { return d.cloud(l, person, stranger) },
		func(net.Listener) (http.Handler, error) { return d.mobileid(d.where.MobileID, person, stranger) }}
	for i, make := range makers {
		handler, err := make(listeners[i])
		if err != nil {
			return err
		}
		d.sites = append(d.sites, wiring.Site{Listener: listeners[i], Handler: handler})
	}
	// They are asked while the provider is put together.
	go func() {
		if err := wiring.Serve(ctx, log, d.sites...); err != nil {
			log.Error("serving the doubles", "err", err)
		}
	}()
	return d.setUpDiia(ctx)
}

func (d *doubles) stop() {
	for _, f := range d.close {
		f()
	}
}

// heard lets a double notify the provider on the double's own address: the provider's may be https with a certificate that
// only this folder knows.
func (d *doubles) heard(double http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p := d.provider.Load(); p != nil && strings.HasPrefix(r.URL.Path, "/notify/") {
			p.ServeHTTP(w, r)
			return
		}
		double.ServeHTTP(w, r)
	})
}

func (d *doubles) notifyURL(base, method string) string {
	return provider.NotifyURL(base, d.secret, method)
}

func (d *doubles) diia(l net.Listener) (http.Handler, error) {
	double, err := diiatest.New(diiatest.Config{BaseURL: base(l), Callback: d.notifyURL(base(l), diia.Method), Provider: d.services})
	if err != nil {
		return nil, err
	}
	d.close = append(d.close, double.Close)
	return d.heard(double.Handler()), nil
}

// setUpDiia does what `brama diia setup` does, and makes the method.
func (d *doubles) setUpDiia(ctx context.Context) error {
	client, err := diia.NewClient(diia.ClientConfig{BaseURL: d.where.Diia, AcquirerToken: diiatest.AcquirerToken, AuthToken: diiatest.AuthToken,
		Do: d.outbound, PlainHTTP: true, LinkOrigins: []string{d.where.Diia}})
	if err != nil {
		return err
	}
	made, err := client.Setup(ctx, diia.Plan{Offer: "Вхід", Scope: d.scope, ReturnLink: d.issuer + "/", Branch: diia.Branch{
		Name: "Brama", FullName: "Brama dev", Address: "Київ", Email: "dev@example.org", Region: "м. Київ", District: "Київ", Location: "Київ",
		Street: "Тестова", House: "1"}})
	if err != nil {
		return err
	}
	d.methods[diia.Method], err = diia.New(diia.Config{Client: client, Verifier: d.engine.Remote, Branch: made.BranchID, Offer: made.OfferID,
		Scope: d.scope, Index: systems.Index{Store: d.store, System: diia.Method}, Issuers: []string{qestest.DiiaEDRPOU}, Life: d.wait, TrustList: d.engine.TrustList})
	return err
}

// client is our registration at a system that sends browsers back.
func (d *doubles) client() (id, secret string) {
	return "0123456789abcdef0123456789abcdef", rand.Text()
}

// agreement issues our key for a system that encrypts its answers.
func (d *doubles) agreement() (idgov.Key, error) {
	ours, err := d.services.Issue(qestest.Request{Kind: qestest.Encryption, Organization: "Brama dev", EDRPOU: "12345678"})
	if err != nil {
		return idgov.Key{}, err
	}
	return idgov.Key{Private: ours.Key.DSTU, Certificate: ours.Certificate.Certificate}, nil
}

func (d *doubles) idgov(l net.Listener) (http.Handler, error) {
	id, secret := d.client()
	key, err := d.agreement()
	if err != nil {
		return nil, err
	}
	double, err := idgovtest.New(idgovtest.Config{BaseURL: base(l), ClientID: id, ClientSecret: secret, Provider: d.services,
		RedirectURIs: []string{provider.ReturnURL(d.issuer, idgov.Method)}, Form: idgovtest.Form{Signed: true}})
	if err != nil {
		return nil, err
	}
	d.methods[idgov.Method], err = idgov.New(idgov.Config{System: d.system(l, id, secret, key), Signers: []idgov.Fingerprint{double.Signer()}, Senders: double.Senders()})
	return double.Handler(), err
}

// system is the double at l for its client.
func (d *doubles) system(l net.Listener, id, secret string, key idgov.Key) idgov.System {
	return idgov.System{BaseURL: base(l), PlainHTTP: true, ClientID: id, ClientSecret: secret, Keys: []idgov.Key{key},
		Documents: d.engine.Documents, Do: d.outbound.Do, TrustList: d.engine.TrustList}
}

func (d *doubles) bankid(l net.Listener) (http.Handler, error) {
	id, secret := d.client()
	key, err := d.agreement()
	if err != nil {
		return nil, err
	}
	double, err := bankidtest.New(bankidtest.Config{BaseURL: base(l), ClientID: id, ClientSecret: secret, Provider: d.services,
		RedirectURIs: []string{provider.ReturnURL(d.issuer, bankid.Method)}})
	if err != nil {
		return nil, err
	}
	var banks []bankid.Bank
	for _, b := range double.Banks() {
		banks = append(banks, bankid.Bank{ID: b.ID, MemberID: b.MemberID, Name: b.Name, EDRPOU: b.EDRPOU})
	}
	d.methods[bankid.Method], err = bankid.New(bankid.Config{System: d.system(l, id, secret, key), DataSet: "61", Banks: banks, AskBank: true})
	return double.Handler(), err
}

func (d *doubles) cloud(l net.Listener, person, stranger *qestest.Issued) (http.Handler, error) {
	keys := []*qestest.Issued{person}
	accounts := []cloudtest.Account{
		{Identifier: "olena", Name: olena + " (за переходом)", Keys: keys, Mode: "oauth2code"},
		{Identifier: olenaEmail, Name: olena + " (код)", Keys: keys, OTP: true},
	}
	var waiting []cloudtest.Account
	for _, n := range d.where.Numbers {
		accounts = append(accounts, cloudtest.Account{Identifier: n, Name: olena + " " + n, Keys: keys, Push: true})
		waiting = append(waiting, cloudtest.Account{Identifier: n, Name: olena + " " + n, Keys: keys})
	}
	double, err := cloudtest.New(cloudtest.Config{BaseURL: base(l), Stranger: stranger, Notify: d.tell, Accounts: accounts})
	if err != nil {
		return nil, err
	}
	async, err := cloudtest.New(cloudtest.Config{BaseURL: base(l) + asyncPath, Stranger: stranger, Notify: d.tell, Accounts: waiting, Async: true})
	if err != nil {
		return nil, err
	}
	family, err := cloudtest.New(cloudtest.Config{BaseURL: base(l) + smartPath, Stranger: stranger, Notify: d.tell, Accounts: waiting})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/", double.Handler())
	mux.Handle(asyncPath+"/", http.StripPrefix(asyncPath, async.Handler()))
	mux.Handle(smartPath+"/", http.StripPrefix(smartPath, family.Handler()))
	secret := func() (string, error) { return cloudtest.ClientSecret, nil }
	entry := func(id, name string, kind cloud.Kind, path string) cloud.Provider {
		return cloud.Provider{ID: id, Name: name, Kind: kind, URL: base(l) + path, ClientID: cloudtest.ClientID, Secret: secret}
	}
	phone := entry("phone", "Хмара на телефоні (ТЕСТ)", cloud.CSC2, "/csc/v2")
	phone.Identifier = cloud.Phone
	page := entry("page", "Хмара за переходом (ТЕСТ)", cloud.CSC2, "/csc/v2")
	page.ServiceByCode = true
	code := entry("code", "Хмара з одноразовим кодом (ТЕСТ)", cloud.CSC1, "/csc/v1")
	code.Identifier = cloud.Email
	later := entry("async", "Хмара, яка підписує згодом (ТЕСТ)", cloud.CSC2, asyncPath+"/csc/v2")
	later.Identifier = cloud.Phone
	// The SmartID family at the level of its JSON: how the real services encrypt their sessions is not known, so that serve
	// refuses them, and the double's envelope encrypts nothing.
	smart := cloud.Provider{ID: "smartid", Name: "SmartID (ТЕСТ)", Kind: cloud.SmartID, URL: base(l) + smartPath + "/smartid",
		LinkURL: base(l) + smartPath + "/smartid/kep?hash=rd/kep/", Prefix: cloudtest.Prefix}
	vchasno := cloud.Provider{ID: "vchasno", Name: "Вчасно.КЕП (ТЕСТ)", Kind: cloud.Vchasno, URL: base(l) + smartPath + "/vchasno", Identifier: cloud.Phone}
	d.methods[cloud.Method], err = cloud.New(cloud.Config{Verifier: d.engine.Remote, Do: d.outbound.Do, AllowHTTP: true, Wait: d.wait,
		NotifyURL: d.notifyURL(base(l), cloud.Method), TrustList: d.engine.TrustList, Envelope: cloudtest.Envelope{},
		Providers: []cloud.Provider{phone, page, code, later, smart, vchasno}})
	return d.heard(mux), err
}

// tell sends a notification of the cloud's double.
func (d *doubles) tell(address string) {
	if !strings.HasPrefix(address, "http://127.0.0.1:") {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), tellTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, http.NoBody)
	if err != nil {
		return
	}
	if res, err := http.DefaultClient.Do(r); err == nil {
		_ = res.Body.Close() // it is told; what is answered does not matter
	}
}

func (d *doubles) mobileid(phone string, person, stranger *qestest.Issued) (http.Handler, error) {
	var subscribers []mobileidtest.Subscriber
	for _, n := range d.where.Numbers {
		subscribers = append(subscribers, mobileidtest.Subscriber{Number: n, Name: olena, Key: person})
	}
	double, err := mobileidtest.New(mobileidtest.Config{Stranger: stranger, Subscribers: subscribers})
	if err != nil {
		return nil, err
	}
	address := strings.TrimSuffix(phone, "/phone")
	if address == phone {
		return nil, errors.New("dev: address of the telephone has another form")
	}
	d.methods[mobileid.Method], err = mobileid.New(mobileid.Config{Verifier: d.engine.Remote, Do: d.outbound.Do, AllowHTTP: true, FirstPoll: -1, Wait: d.wait,
		TrustList: d.engine.TrustList, Operators: []mobileid.Operator{{ID: "test", Name: "Оператор (ТЕСТ)", URL: address + "/mss", APID: mobileidtest.APID,
			Password: func() (string, error) { return mobileidtest.Password, nil }}}})
	return double.Handler(), err
}
