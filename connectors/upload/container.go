package upload

import (
	"bytes"
	"errors"
	"strconv"

	"brama/connectors"
	"brama/connectors/internal/signing"
	"brama/internal/qes/asic"
)

// readContainer takes the signature out of an ASiC container in which the challenge is the only document and has one
// signature. Anything beside it would be signed as well, or would look as if it were (threats T1, T65).
func readContainer(b, challenge []byte) (*signing.Signed, error) {
	c, err := asic.Read(b, asic.LoginLimits)
	if err != nil {
		return nil, refuseContainer(err)
	}
	switch {
	case len(c.Signatures) > 1:
		return nil, unsupported("signers", "")
	case len(c.Documents) != 1 || !bytes.Equal(c.Documents[0].Content, challenge):
		return nil, retry("UPLOAD_OTHER_CONTENT", "the container holds something else than the request")
	}
	return &signing.Signed{Signature: c.Signatures[0].CMS, Content: c.Signatures[0].Signed, Evidence: b}, nil
}

func refuseContainer(err error) error {
	switch {
	case errors.Is(err, asic.ErrXAdES):
		return unsupported("format", "XAdES")
	case errors.Is(err, asic.ErrAlgorithm):
		return unsupported("algorithm", "")
	case errors.Is(err, asic.ErrNotASiC):
		return unsupported("format", "ZIP")
	case errors.Is(err, asic.ErrUnsigned):
		return retry("UPLOAD_NOT_SIGNED", err.Error())
	case errors.Is(err, asic.ErrDigest):
		return retry("SIG_INVALID", err.Error())
	case errors.Is(err, asic.ErrTooBig):
		r := &connectors.Refusal{}
		errors.As(retry("UPLOAD_TOO_BIG", err.Error()), &r)
		r.Values = map[string]string{"n": strconv.Itoa(asic.LoginLimits.Size >> 10)}
		return r
	}
	return retry("CMS_MALFORMED", err.Error())
}
