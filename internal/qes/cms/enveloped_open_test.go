package cms_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"errors"
	"testing"

	"brama/internal/der"
	"brama/internal/dstu/dstu4145"
	"brama/internal/dstu/gost28147"
	"brama/internal/dstu/gost34311"
	"brama/internal/qes/cms"
	"brama/internal/qes/spki"
	"brama/internal/qes/tbs"
	"brama/internal/vectors"
)

// replace exchanges one part of an encoding for another of any length, mending the lengths of what is around it.
func replace(t testing.TB, b, old, with []byte) []byte {
	t.Helper()
	if bytes.Count(b, old) != 1 {
		t.Fatalf("%x stands %d times in the message", old, bytes.Count(b, old))
	}
	v, err := der.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(v.Full, old) {
		return with
	}
	var parts [][]byte
	for r := v.Reader(); r.More(); {
		child := r.Next().Full
		if bytes.Contains(child, old) {
			child = replace(t, child, old, with)
		}
		parts = append(parts, child)
	}
	return der.Element(v.Tag, parts...)
}

// element finds the only element with the given tag and length of content.
func element(t testing.TB, b []byte, tag der.Tag, length int) []byte {
	t.Helper()
	var found [][]byte
	var walk func(b []byte)
	walk = func(b []byte) {
		for r := der.NewReader(b); r.More(); {
			v := r.Next()
			if v.Tag == tag && len(v.Bytes) == length {
				found = append(found, v.Full)
			}
			if v.Tag.IsConstructed() {
				walk(v.Bytes)
			}
		}
	}
	walk(b)
	if len(found) != 1 {
		t.Fatalf("%d elements of tag %x and length %d", len(found), tag, length)
	}
	return found[0]
}

// TestEnvelopeOracleUniform: whatever a forger changes in what meets our static key, the answer is the same value (T49).
func TestEnvelopeOracleUniform(t *testing.T) {
	for _, cipher := range []der.OID{cms.OIDGOST28147CFB, cms.OIDKalyna256CFB} {
		p := newParty(t, dstu4145.M257(), agreementOnly)
		from := newParty(t, dstu4145.M257(), agreementOnly)
		o := cms.SealOptions{Content: []byte(`{"auth_type":"dig_sign"}`), Recipients: []*tbs.Certificate{p.cert}, Cipher: cipher}
		wrapped := map[der.OID]int{cms.OIDGOST28147CFB: 44, cms.OIDKalyna256CFB: 96}[cipher]
		openOptions := cms.OpenOptions{Key: p.key, Certificates: []*tbs.Certificate{p.cert}, Senders: []*tbs.Certificate{from.cert}}
		same := func(what string, b []byte) {
			t.Helper()
			e, err := cms.ParseEnveloped(b, cms.AnswerLimits)
			if err != nil {
				t.Errorf("%s: refused before the key: %v", what, err)
				return
			}
			if opened, err := e.Open(openOptions); err != cms.ErrEnvelope || opened != nil {
				t.Errorf("%s: %v, want ErrEnvelope itself", what, err)
			}
		}
		flips := func(what string, b, part []byte) {
			for i := range part {
				changed := bytes.Clone(part)
				changed[i] ^= 1 << (i % 8)
				if len(part) > 34 && i < 2 { // a header of DER: another form, seen by everyone
					continue
				}
				same(what, bytes.Replace(b, part, changed, 1))
			}
		}

		b := seal(t, o)
		key := element(t, b, der.OctetString, wrapped)
		flips("wrapped key", b, key)
		for _, n := range []int{0, 1, 43, 45, 64, 95, 97} {
			same("length of the wrapped key", replace(t, b, key, der.EncodeOctetString(make([]byte, n))))
		}
		same("wrapped key of another message", replace(t, b, key, element(t, seal(t, o), der.OctetString, wrapped)))

		bits := element(t, b, der.BitString, 36)
		flips("ephemeral point", b, bits[6:]) // the first octet has the sign, which does not matter
		other := newParty(t, dstu4145.M431(), agreementOnly).key.PublicKey().Bytes()
		for what, point := range map[string][]byte{
			"point of order two": make([]byte, 33), "no point": {}, "short point": make([]byte, 32), "point of another curve": other,
			"bits over the field": bytes.Repeat([]byte{0xff}, 33), "someone's key": from.key.PublicKey().Bytes(), "our own key": p.key.PublicKey().Bytes(),
		} {
			same(what, replace(t, b, bits, der.EncodeBitString(der.EncodeOctetString(point))))
		}
		same("not a point", replace(t, b, bits, der.EncodeBitString([]byte{1, 2, 3})))
		same("another curve", replace(t, b, spki.CurveAlgorithm(dstu4145.M257()).Encode(), spki.CurveAlgorithm(dstu4145.M431()).Encode()))
		same("an RSA key", replace(t, b, spki.CurveAlgorithm(dstu4145.M257()).Encode(), spki.Algorithm{OID: spki.OIDRSA, Parameters: der.EncodeNull()}.Encode()))

		o.Sender = &cms.Sender{Key: from.key, Certificate: from.cert}
		b = seal(t, o)
		flips("wrapped key of a static sender", b, element(t, b, der.OctetString, wrapped))
		ukm := element(t, b, der.OctetString, 64)
		flips("user keying material", b, ukm)
		same("no user keying material", replace(t, b, ukm, der.EncodeOctetString(nil)))
		serial := from.cert.Serial[len(from.cert.Serial)-1]
		for what, c := range map[string]*dstu4145.Curve{"another key under the sender's name": dstu4145.M257(), "one on another curve": dstu4145.M431()} {
			openOptions.Senders[0] = certify(t, newParty(t, c, agreementOnly).key, serial, agreementOnly).cert
			same(what, b)
		}
	}
}

// TestContentIsNotProven: a change of the content is not noticed; that is why what comes out counts as unproven (T47).
func TestContentIsNotProven(t *testing.T) {
	p := newParty(t, dstu4145.M257(), agreementOnly)
	b := seal(t, cms.SealOptions{Content: []byte("a = 1"), Recipients: []*tbs.Certificate{p.cert}})
	b[len(b)-1] ^= '1' ^ '9'
	if got := open(t, b, cms.OpenOptions{Key: p.key}); string(got.Content) != "a = 9" {
		t.Errorf("got %q", got.Content)
	}
}

// A fixedKey is a key in a device that agrees on one secret with everyone.
type fixedKey struct {
	public *dstu4145.PublicKey
	z      []byte
}

func (k fixedKey) Public() crypto.PublicKey                           { return k.public }
func (k fixedKey) ECDH(*dstu4145.PublicKey) ([]byte, error)           { return bytes.Clone(k.z), nil }
func (k fixedKey) CofactorECDH(p *dstu4145.PublicKey) ([]byte, error) { return k.ECDH(p) }

// TestLeadingZeros: programs that leave out all leading zeros of the shared secret, and those that leave out the first
// alone, are both understood; a message that is made from none left out is not.
func TestLeadingZeros(t *testing.T) {
	to, from := newParty(t, dstu4145.M257(), agreementOnly), newParty(t, dstu4145.M257(), agreementOnly)
	for zeros := range 4 {
		z := append(make([]byte, zeros), bytes.Repeat([]byte{7}, 33-zeros)...)
		b := seal(t, cms.SealOptions{Content: []byte("1"), Recipients: []*tbs.Certificate{to.cert},
			Sender: &cms.Sender{Key: fixedKey{from.key.PublicKey(), z}, Certificate: from.cert}})
		o := cms.OpenOptions{Key: fixedKey{to.key.PublicKey(), z}, Senders: []*tbs.Certificate{from.cert}}
		open(t, b, o)

		ukm := element(t, b, der.OctetString, 64)
		wrap := spki.Algorithm{OID: cms.OIDGOST28147Wrap, Parameters: der.EncodeNull()}
		kek := func(z []byte) []byte {
			info := der.EncodeSequence(wrap.Encode(), der.Element(der.Constructed(0), ukm), der.Element(der.Constructed(2), der.EncodeOctetString([]byte{0, 0, 1, 0})))
			sum := gost34311.Sum(bytes.Join([][]byte{z, {0, 0, 0, 1}, info}, nil))
			return sum[:]
		}
		wrapped := element(t, b, der.OctetString, 44)
		key, err := gost28147.UnwrapKey(kek(z[zeros:]), nil, wrapped[2:])
		if err != nil {
			t.Fatalf("%d zeros: a message of ours does not leave all of them out: %v", zeros, err)
		}
		for _, v := range []struct {
			left int // leading zeros left out
			want error
		}{{0, cms.ErrEnvelope}, {1, nil}, {zeros, nil}} {
			if v.left > zeros || zeros == 0 {
				continue
			}
			again, err := gost28147.WrapKey(kek(z[v.left:]), nil, key, rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := parse(t, replace(t, b, wrapped, der.EncodeOctetString(again))).Open(o); err != v.want {
				t.Errorf("%d of %d zeros left out: %v, want %v", v.left, zeros, err, v.want)
			}
		}
	}
}

// TestNoDeviceMeetsBadPoint: a key that stays in a device is not asked to agree with what is no key.
func TestNoDeviceMeetsBadPoint(t *testing.T) {
	p := newParty(t, dstu4145.M257(), agreementOnly)
	z := bytes.Repeat([]byte{7}, 33)
	b := seal(t, cms.SealOptions{Content: []byte("1"), Recipients: []*tbs.Certificate{p.cert},
		Sender: &cms.Sender{Key: fixedKey{p.key.PublicKey(), z}, Certificate: p.cert}})
	rsa := *p.cert
	rsa.PublicKey = &spki.Info{Algorithm: spki.Algorithm{OID: spki.OIDRSA}}
	if _, err := parse(t, b).Open(cms.OpenOptions{Key: fixedKey{p.key.PublicKey(), z}, Senders: []*tbs.Certificate{&rsa}}); err != cms.ErrEnvelope {
		t.Errorf("got %v, want ErrEnvelope", err)
	}
}

// TestEphemeralWithoutParameters: RFC 5753 lets the curve of an ephemeral key go without saying.
func TestEphemeralWithoutParameters(t *testing.T) {
	p := newParty(t, dstu4145.M431(), agreementOnly)
	b := seal(t, cms.SealOptions{Content: []byte("1"), Recipients: []*tbs.Certificate{p.cert}})
	full := spki.CurveAlgorithm(dstu4145.M431()).Encode()
	for _, parameters := range [][]byte{nil, der.EncodeNull()} {
		open(t, replace(t, b, full, spki.Algorithm{OID: spki.OIDDSTU4145, Parameters: parameters}.Encode()), cms.OpenOptions{Key: p.key})
	}
}

func TestOpenRefused(t *testing.T) {
	p := newParty(t, dstu4145.M257(), agreementOnly)
	b := seal(t, cms.SealOptions{Content: []byte("1"), Recipients: []*tbs.Certificate{p.cert}})
	iv := element(t, b, der.OctetString, 8)
	oid := func(o der.OID) []byte { return der.EncodeOID(o) }
	for name, changed := range map[string][]byte{
		"cipher":         replace(t, b, oid(cms.OIDGOST28147CFB), oid(spki.OIDGOST34311)),
		"other cipher":   replace(t, b, oid(cms.OIDGOST28147CFB), oid(cms.OIDKalyna256CFB)),
		"short iv":       replace(t, b, iv, der.EncodeOctetString(make([]byte, 7))),
		"long iv":        replace(t, b, iv, der.EncodeOctetString(make([]byte, 16))),
		"short ДКЕ":      replace(t, b, iv, append(bytes.Clone(iv), der.EncodeOctetString(make([]byte, 63))...)),
		"two ДКЕ":        replace(t, b, iv, append(bytes.Clone(iv), bytes.Repeat(der.EncodeOctetString(make([]byte, 64)), 2)...)),
		"iv is a number": replace(t, b, iv, der.EncodeInt(5)),
		"agreement":      replace(t, b, oid(cms.OIDCofactorDHWithGOST34311), oid(spki.OIDGOST34311)),
		"wrap":           replace(t, b, oid(cms.OIDGOST28147Wrap), oid(spki.OIDGOST34311)),
		"wrap with more": replace(t, b, spki.Algorithm{OID: cms.OIDGOST28147Wrap, Parameters: der.EncodeNull()}.Encode(), der.EncodeSequence(oid(cms.OIDGOST28147Wrap), iv)),
	} {
		if _, err := parse(t, changed).Open(cms.OpenOptions{Key: p.key}); err != cms.ErrEnvelopeAlgorithm {
			t.Errorf("%s: %v, want ErrEnvelopeAlgorithm", name, err)
		}
	}
	for name, o := range map[string]cms.OpenOptions{
		"no key": {}, "no public key": {Key: fixedKey{}}, "bad ДКЕ": {Key: p.key, SBox: make([]byte, 5)},
	} {
		if opened, err := parse(t, b).Open(o); err == nil || opened != nil {
			t.Errorf("%s: opened", name)
		}
	}
}

func TestParseEnvelopedRefused(t *testing.T) {
	p := newParty(t, dstu4145.M257(), agreementOnly)
	b := seal(t, cms.SealOptions{Content: []byte("1"), Recipients: []*tbs.Certificate{p.cert}})
	outer, _ := der.Parse(b)
	body, _ := der.Parse(outer.Reader().Rest()[11:])
	inner, _ := der.Parse(body.Bytes)
	rest := inner.Bytes[3:] // after the version
	set, _ := der.Parse(rest[:len(rest)-len(contentInfo(t, rest))])
	kari, _ := der.Parse(set.Bytes)
	with := func(parts ...[]byte) []byte {
		return der.EncodeSequence(der.EncodeOID(cms.OIDEnvelopedData), der.Element(der.Constructed(0), der.EncodeSequence(parts...)))
	}
	version, content := der.EncodeInt(2), contentInfo(t, rest)
	if !bytes.Equal(with(version, set.Full, content), b) {
		t.Fatal("the test does not put the message together again")
	}
	info, _ := der.Parse(content)
	for name, v := range map[string]struct {
		b    []byte
		want error
	}{
		"nothing":             {nil, cms.ErrNotCMS},
		"text":                {[]byte(`{"a":1}`), cms.ErrNotCMS},
		"cut":                 {b[:len(b)-1], cms.ErrMalformedEnvelope},
		"trailing octet":      {append(bytes.Clone(b), 0), cms.ErrMalformedEnvelope},
		"version 1":           {with(der.EncodeInt(1), set.Full, content), cms.ErrMalformedEnvelope},
		"version 5":           {with(der.EncodeInt(5), set.Full, content), cms.ErrMalformedEnvelope},
		"no recipients":       {with(version, der.Element(der.Set), content), cms.ErrMalformedEnvelope},
		"odd recipient":       {with(version, der.Element(der.Set, der.EncodeNull()), content), cms.ErrMalformedEnvelope},
		"recipient version 2": {with(version, der.Element(der.Set, der.Element(kari.Tag, der.EncodeInt(2), kari.Bytes[3:])), content), cms.ErrMalformedEnvelope},
		"more after the keys": {with(version, der.Element(der.Set, der.Element(kari.Tag, kari.Bytes, der.EncodeNull())), content), cms.ErrMalformedEnvelope},
		"no content":          {with(version, set.Full, der.EncodeSequence(info.Bytes[:len(info.Bytes)-3])), cms.ErrNoContent},
		"two contents":        {with(version, set.Full, content, content), cms.ErrMalformedEnvelope},
		"content of integers": {with(version, set.Full, der.EncodeSequence(info.Bytes[:len(info.Bytes)-3], der.Element(der.Constructed(0), der.EncodeInt(1)))), cms.ErrMalformedEnvelope},
	} {
		if e, err := cms.ParseEnveloped(v.b, cms.AnswerLimits); !errors.Is(err, v.want) || e != nil {
			t.Errorf("%s: %v, want %v", name, err, v.want)
		}
	}
	// What is there but not for us is passed over.
	other := der.Element(der.Constructed(3), der.EncodeInt(0))
	for name, b := range map[string][]byte{
		"another kind of recipient": with(version, der.Element(der.Set, set.Bytes, other), content),
		"unprotected attributes":    with(version, set.Full, content, der.Element(der.Constructed(1))),
		"an old version":            with(der.EncodeInt(0), set.Full, content),
		"originator":                with(version, der.Element(der.Constructed(0), der.Element(der.Constructed(0), p.cert.Raw), der.Element(der.Constructed(1))), set.Full, content),
	} {
		if e, err := cms.ParseEnveloped(b, cms.AnswerLimits); err != nil {
			t.Errorf("%s: %v", name, err)
		} else if _, err := e.Open(cms.OpenOptions{Key: p.key}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := parse(t, with(version, der.Element(der.Set, other), content)).Open(cms.OpenOptions{Key: p.key}); err != cms.ErrNotRecipient {
		t.Errorf("only another kind of recipient: %v", err)
	}
}

// contentInfo returns the last element of b.
func contentInfo(t testing.TB, b []byte) (last []byte) {
	t.Helper()
	for r := der.NewReader(b); r.More(); {
		last = r.Next().Full
	}
	return last
}

// toBER rewrites DER as Java's libraries write a message: indefinite lengths, strings in segments.
func toBER(b []byte) []byte {
	v, err := der.Parse(b)
	if err != nil {
		return b
	}
	open := func(t der.Tag) []byte { return []byte{byte(t), 0x80} }
	segments := func(content []byte) (out []byte) {
		for len(content) > 0 {
			n := min(len(content), 20)
			out = append(out, der.EncodeOctetString(content[:n])...)
			content = content[n:]
		}
		return out
	}
	switch {
	case v.Tag == der.OctetString, v.Tag == der.Context(0):
		return append(append(open(v.Tag|0x20), segments(v.Bytes)...), 0, 0)
	case !v.Tag.IsConstructed():
		return b
	}
	out := open(v.Tag)
	for r := v.Reader(); r.More(); {
		out = append(out, toBER(r.Next().Full)...)
	}
	return append(out, 0, 0)
}

func TestEnvelopeInBER(t *testing.T) {
	key, _ := diia(t)
	b := toBER(vectors.Read(t, "cms/env-ephemeral.p7e"))
	if got := open(t, b, cms.OpenOptions{Key: key}); string(got.Content) != "The quick brown fox jumps over the lazy dog" {
		t.Errorf("got %q", got.Content)
	}
}

func FuzzEnveloped(f *testing.F) {
	for _, name := range vectors.Glob(f, "cms/*.p7e") {
		b := vectors.Read(f, name[len(vectors.Dir(f))+1:])
		f.Add(b)
		f.Add(toBER(b))
	}
	key, own := diia(f)
	other, _ := enc40a0(f)
	sender := certificate(f, "certs/selfsigned-enc-6929.cer")
	limits := cms.EnvelopeLimits{Size: 64 << 10, Recipients: 4}
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := cms.ParseEnveloped(b, limits)
		if err != nil {
			if e != nil {
				t.Fatal("a message beside an error")
			}
			return
		}
		if len(e.Recipients) > limits.Recipients {
			t.Fatalf("%d recipients", len(e.Recipients))
		}
		for _, o := range []cms.OpenOptions{
			{Key: key, Certificates: []*tbs.Certificate{own}},
			{Key: other, Senders: []*tbs.Certificate{sender}},
		} {
			opened, err := e.Open(o)
			if (err == nil) != (opened != nil) {
				t.Fatal(opened, err)
			}
			if err == nil && len(opened.Content) > len(b) {
				t.Fatal("more content than message")
			}
		}
	})
}
