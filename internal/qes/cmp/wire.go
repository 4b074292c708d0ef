package cmp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"brama/internal/der"
	"brama/internal/qes/keystore"
)

// Sizes of the record. All numbers in it are 32-bit little-endian.
const (
	// MaxKeyIDs is the number of identifiers that one request holds.
	MaxKeyIDs = 4

	slotSize     = 32
	head         = 12 // type, status, count
	tail         = 12 // flags Chain, IncludeAll, SignResponse
	requestType  = 13
	maxResponse  = 256 << 10
	maxReturned  = 32 // certificates in one answer
	statusFound  = 1  // as one maker writes it; another writes 0, and readers ignore it
	statusAbsent = 3
)

// Errors of the wire form.
var (
	ErrMalformed = errors.New("cmp: malformed message")
	ErrKeyID     = errors.New("cmp: a key identifier has 20 or 32 bytes")
)

var (
	oidData       = der.NewOID("1.2.840.113549.1.7.1")
	oidSignedData = der.NewOID("1.2.840.113549.1.7.2")
)

// EncodeRequest asks for the certificates of 1 to MaxKeyIDs keys by their identifiers (20 or 32 bytes; the shorter are
// filled with zeros at the end): the form with four slots, 152 bytes of payload, asking for no chain, all certificates of
// the key, and an unsigned answer.
func EncodeRequest(keyIDs [][]byte) ([]byte, error) {
	if len(keyIDs) == 0 || len(keyIDs) > MaxKeyIDs {
		return nil, fmt.Errorf("%w: %d of them", ErrKeyID, len(keyIDs))
	}
	p := make([]byte, head+MaxKeyIDs*slotSize+tail)
	binary.LittleEndian.PutUint32(p, requestType)
	binary.LittleEndian.PutUint32(p[8:], uint32(len(keyIDs)))
	for i, id := range keyIDs {
		if len(id) != 20 && len(id) != slotSize {
			return nil, ErrKeyID
		}
		copy(p[head+i*slotSize:], id)
	}
	flags := p[head+MaxKeyIDs*slotSize:]
	binary.LittleEndian.PutUint32(flags[4:], 1) // IncludeAll: the agreement certificate and older ones too
	return wrap(p), nil
}

// ParseRequest returns the identifiers of a request in either form in use: four slots (152 bytes), or three (120 bytes).
// Each is returned with 32 bytes, an identifier that stands twice once.
func ParseRequest(b []byte) ([][]byte, error) {
	p, err := unwrap(b)
	if err != nil {
		return nil, err
	}
	slots := 4
	if len(p) == head+3*slotSize+tail {
		slots = 3
	}
	if len(p) != head+slots*slotSize+tail || binary.LittleEndian.Uint32(p) != requestType {
		return nil, fmt.Errorf("%w: not a request for certificates", ErrMalformed)
	}
	n := binary.LittleEndian.Uint32(p[8:])
	if n == 0 || n > uint32(slots) {
		return nil, fmt.Errorf("%w: %d identifiers", ErrMalformed, n)
	}
	var out [][]byte
	for i := range int(n) {
		id := p[head+i*slotSize : head+(i+1)*slotSize]
		if !containsBytes(out, id) {
			out = append(out, id)
		}
	}
	return out, nil
}

// EncodeResponse is the answer of a server: the certificates, or that there are none.
func EncodeResponse(certificates [][]byte) []byte {
	p := binary.LittleEndian.AppendUint32(nil, requestType+1)
	if len(certificates) == 0 {
		return wrap(binary.LittleEndian.AppendUint32(p, statusAbsent))
	}
	p = binary.LittleEndian.AppendUint32(p, statusFound)
	return wrap(append(p, encodeBundle(certificates)...))
}

// ParseResponse returns the certificates of an answer, in DER, not parsed; none if the server found none. The status is
// ignored, because makers disagree about its values: what follows it decides.
func ParseResponse(b []byte) ([][]byte, error) {
	if len(b) > maxResponse {
		return nil, fmt.Errorf("%w: larger than %d bytes", ErrMalformed, maxResponse)
	}
	p, err := unwrap(b)
	if err != nil {
		return nil, err
	}
	if len(p) < 8 {
		return nil, fmt.Errorf("%w: no status", ErrMalformed)
	}
	if p = p[8:]; len(p) == 0 {
		return nil, nil
	}
	certificates, _, err := keystore.ReadBundle(p)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if len(certificates) > maxReturned {
		return nil, fmt.Errorf("%w: %d certificates", ErrMalformed, len(certificates))
	}
	return certificates, nil
}

// encodeBundle writes a SignedData without signers (RFC 5652 5.1).
func encodeBundle(certificates [][]byte) []byte {
	return der.EncodeSequence(der.EncodeOID(oidSignedData), der.Element(der.Constructed(0), der.EncodeSequence(
		der.EncodeInt(1), der.Element(der.Set), der.EncodeSequence(der.EncodeOID(oidData)),
		der.Element(der.Constructed(0), certificates...), der.Element(der.Set),
	)))
}

// wrap puts a payload into ContentInfo { data, [0] OCTET STRING }.
func wrap(payload []byte) []byte {
	return der.EncodeSequence(der.EncodeOID(oidData), der.Element(der.Constructed(0), der.EncodeOctetString(payload)))
}

func unwrap(b []byte) ([]byte, error) {
	b, err := der.Normalize(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	r := der.NewReader(b)
	info := r.Sequence()
	kind := info.OID()
	content := info.Nested(der.Constructed(0))
	payload := content.OctetString()
	if err := errors.Join(r.Done(), info.Done(), content.Done()); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if kind != oidData {
		return nil, fmt.Errorf("%w: content type %s", ErrMalformed, kind)
	}
	return payload, nil
}

func containsBytes(list [][]byte, b []byte) bool {
	for _, x := range list {
		if bytes.Equal(x, b) {
			return true
		}
	}
	return false
}
