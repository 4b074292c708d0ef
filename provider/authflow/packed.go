package authflow

import (
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"brama/connectors"
	"brama/internal/challenge"
	"brama/internal/pack"
)

// The first bytes of a packed state and identity say how the rest is written.
const (
	stateForm    = 2
	identityForm = 1
)

// packed are buffers of states that were sealed.
var packed = sync.Pool{New: func() any { b := make([]byte, 0, 2<<10); return &b }}

// dropPacked gives back what pack returned, without what was in it.
func dropPacked(b []byte) {
	clear(b)
	packed.Put(&b)
}

// pack writes s. The bytes may be given to dropPacked.
func (s *state) pack() ([]byte, error) {
	b := append((*packed.Get().(*[]byte))[:0], stateForm)
	for _, t := range s.words() {
		b = pack.AppendString(b, *t)
	}
	for _, n := range s.counts() {
		b = pack.AppendInt(b, int64(*n))
	}
	b = pack.AppendString(b, string(s.Phase))
	b = append(b, s.Nonce[:]...)
	b = pack.AppendTime(b, s.Until)
	b = pack.AppendString(b, s.Connector)
	b = pack.AppendBool(b, s.Identity != nil)
	if s.Identity != nil {
		b = appendIdentity(b, s.Identity)
	}
	// Steps of connectors whose page says more than its name are rare, and what they show is JSON already.
	for _, v := range [...]struct {
		is    bool
		value any
	}{{s.Shown != nil, s.Shown}, {s.Failed != nil, s.Failed}} {
		var raw []byte
		if v.is {
			var err error
			if raw, err = json.Marshal(v.value); err != nil {
				return nil, fmt.Errorf("packing a login: %w", err)
			}
		}
		b = pack.AppendString(b, raw)
	}
	return s.Request.AppendTo(b)
}

// unpack reads what pack wrote.
func (s *state) unpack(b []byte) error {
	r := pack.NewReader(b)
	if r.Uint() != stateForm {
		return pack.ErrPacked
	}
	for _, t := range s.words() {
		*t = r.String()
	}
	for _, n := range s.counts() {
		*n = int(r.Int())
	}
	s.Phase = phase(r.String())
	copy(s.Nonce[:], r.Bytes(challenge.NonceSize))
	s.Until = r.Time()
	s.Connector = []byte(r.String())
	if len(s.Connector) == 0 {
		s.Connector = nil
	}
	if r.Bool() {
		s.Identity = &connectors.Identity{}
		readIdentity(r, s.Identity)
	}
	for _, v := range []any{&s.Shown, &s.Failed} {
		raw := r.String()
		if raw == "null" || raw == "" {
			continue
		}
		if err := json.Unmarshal([]byte(raw), v); err != nil {
			return fmt.Errorf("unpacking a login: %w", err)
		}
	}
	if err := s.Request.ReadPacked(r); err != nil {
		return err
	}
	return r.End()
}

// words are the fields of s that are a string each, in the order of the packed form.
func (s *state) words() [5]*string {
	return [...]*string{&s.Method, &s.Person, &s.Browser, &s.Reason, &s.SID}
}

// counts are those that are counted.
func (s *state) counts() [3]*int { return [...]*int{&s.Attempts, &s.Searches, &s.Presses} }

// packIdentity writes who is signed in, for a session.
func packIdentity(id *connectors.Identity) []byte {
	return appendIdentity(append(make([]byte, 0, 1<<10), identityForm), id)
}

// unpackIdentity reads what packIdentity wrote.
func unpackIdentity(b []byte, id *connectors.Identity) error {
	r := pack.NewReader(b)
	if r.Uint() != identityForm {
		return pack.ErrPacked
	}
	readIdentity(r, id)
	return r.End()
}

// appendIdentity leaves out what is not kept with a login: the evidence, which is the audit's, and the certificate itself,
// which stands in a record of its own.
func appendIdentity(b []byte, id *connectors.Identity) []byte {
	for _, t := range identityWords(id) {
		b = pack.AppendString(b, *t)
	}
	for _, t := range identityTimes(id) {
		b = pack.AppendTime(b, *t)
	}
	b = pack.AppendString(b, string(id.LoA))
	b = pack.AppendStrings(b, id.AMR)
	b = pack.AppendBool(b, id.Certificate.Qualified)
	b = pack.AppendUint(b, uint64(len(id.Identifiers)))
	for _, i := range id.Identifiers {
		b = pack.AppendString(pack.AppendString(pack.AppendString(b, string(i.Type)), i.Country), i.Value)
	}
	b = pack.AppendUint(b, uint64(len(id.Roles)))
	for _, x := range id.Roles {
		for _, t := range roleWords(&x) {
			b = pack.AppendString(b, *t)
		}
	}
	return b
}

func readIdentity(r *pack.Reader, id *connectors.Identity) {
	for _, t := range identityWords(id) {
		*t = r.String()
	}
	for _, t := range identityTimes(id) {
		*t = r.Time()
	}
	id.LoA = connectors.LoA(r.String())
	id.AMR = r.Strings()
	id.Certificate.Qualified = r.Bool()
	for range r.Count() {
		id.Identifiers = append(id.Identifiers, connectors.Identifier{Type: connectors.IdentifierType(r.String()), Country: r.String(), Value: r.String()})
	}
	for range r.Count() {
		var x connectors.Role
		for _, t := range roleWords(&x) {
			*t = r.String()
		}
		id.Roles = append(id.Roles, x)
	}
}

func identityWords(id *connectors.Identity) [8]*string {
	return [...]*string{&id.Name, &id.FamilyName, &id.GivenName, &id.MiddleName, &id.Email, &id.Certificate.Issuer, &id.Certificate.Serial, &id.Certificate.ID}
}

func identityTimes(id *connectors.Identity) [5]*time.Time {
	return [...]*time.Time{&id.BirthDate, &id.AuthTime, &id.Certificate.NotBefore, &id.Certificate.NotAfter, &id.Certificate.CheckedAt}
}

func roleWords(x *connectors.Role) [4]*string {
	return [...]*string{&x.ID, &x.EDRPOU, &x.Organization, &x.Title}
}
