package cms

import (
	"strings"
	"time"

	"brama/internal/der"
	"brama/internal/qes/spki"
)

// A TimeStamp is a time-stamp token (RFC 3161 2.4.2) before anyone has verified its signature.
type TimeStamp struct {
	SignedData *SignedData // one signer
	Policy     der.OID
	Hash       spki.Algorithm
	Imprint    []byte
	Serial     []byte // content octets of the INTEGER
	Time       time.Time
}

// timeStampLimits: a token has one signer and at most a short chain.
var timeStampLimits = Limits{Size: 256 << 10, Signers: 1, Certificates: 16}

// ParseTimeStamp reads a TimeStampToken: a ContentInfo with a SignedData over TSTInfo, one signer with signed attributes.
func ParseTimeStamp(b []byte) (*TimeStamp, error) {
	sd, err := Parse(b, timeStampLimits)
	if err != nil {
		return nil, err
	}
	if sd.ContentType != OIDTSTInfo || sd.Detached || len(sd.Signers) != 1 || sd.Signers[0].RawSignedAttributes == nil {
		return nil, malformed(der.ErrValue)
	}
	ts := &TimeStamp{SignedData: sd}
	outer := der.NewReader(sd.Content)
	r := outer.Sequence()
	if version := r.Int(); r.Err() == nil && version != 1 {
		return nil, malformed(der.ErrValue)
	}
	ts.Policy = r.OID()
	imprint := r.Sequence()
	ts.Hash = spki.ParseAlgorithm(imprint)
	ts.Imprint = imprint.OctetString()
	r.Fail(imprint.Done())
	ts.Serial = r.Integer()
	genTime := r.Read(der.GeneralizedTime)
	r.Optional(der.Sequence) // accuracy
	r.Optional(der.Boolean)  // ordering
	r.Optional(der.Integer)  // nonce
	r.Optional(der.Constructed(0))
	r.Optional(der.Constructed(1))
	if err := r.Done(); err != nil {
		return nil, malformed(err)
	}
	if err := outer.Done(); err != nil {
		return nil, malformed(err)
	}
	if ts.Time, err = parseGenTime(string(genTime.Bytes)); err != nil {
		return nil, malformed(err)
	}
	return ts, nil
}

// parseGenTime reads YYYYMMDDhhmmss[.s...]Z, where a fraction does not end in 0 (RFC 3161 2.4.2).
func parseGenTime(s string) (time.Time, error) {
	whole, ok := strings.CutSuffix(s, "Z")
	if !ok {
		return time.Time{}, der.ErrValue
	}
	whole, fraction, dotted := strings.Cut(whole, ".")
	if len(whole) != 14 || dotted && (fraction == "" || len(fraction) > 9 || fraction[len(fraction)-1] == '0') {
		return time.Time{}, der.ErrValue
	}
	t, err := time.Parse("20060102150405", whole)
	if err != nil {
		return time.Time{}, der.ErrValue
	}
	scale := time.Second
	for i := range len(fraction) {
		if fraction[i] < '0' || fraction[i] > '9' {
			return time.Time{}, der.ErrValue
		}
		scale /= 10
		t = t.Add(time.Duration(fraction[i]-'0') * scale)
	}
	return t, nil
}
