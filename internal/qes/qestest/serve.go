package qestest

import (
	"bytes"
	"io"
	"net/http"
	"time"

	"brama/internal/qes/cmp"
)

// Services, as they stand in addresses: BaseURL/AUTHORITY/SERVICE.
const (
	ServiceOCSP  = "ocsp"
	ServiceTSP   = "tsp"
	ServiceCMP   = "cmp"
	ServiceCRL   = "crl"
	ServiceDelta = "delta"
)

// A Fault is how a service misbehaves. The zero value is none.
type Fault struct {
	Down    bool          // status 503
	Delay   time.Duration // before anything is said
	Garbage bool          // an answer of another kind
}

// SetFault sets how a service (ServiceOCSP, …) of every authority misbehaves.
func (p *Provider) SetFault(service string, f Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults[service] = f
}

// SetDown is SetFault with Down alone.
func (p *Provider) SetDown(service string, down bool) { p.SetFault(service, Fault{Down: down}) }

// Asked returns how many requests a service has had.
func (p *Provider) Asked(service string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked[service]
}

// maxRequest bounds what is read of a request.
const maxRequest = 64 << 10

// Handler serves every service of every authority under the path of BaseURL.
func (p *Provider) Handler() http.Handler {
	mux := http.NewServeMux()
	for _, a := range p.authorities {
		handle := func(method, service, contentType string, answer func(request []byte) ([]byte, error)) {
			mux.HandleFunc(method+" /"+a.id+"/"+service, func(w http.ResponseWriter, r *http.Request) {
				p.serve(w, r, service, contentType, answer)
			})
		}
		handle("POST", ServiceOCSP, "application/ocsp-response", func(b []byte) ([]byte, error) { return p.answerOCSP(a, b) })
		handle("POST", ServiceTSP, "application/timestamp-reply", func(b []byte) ([]byte, error) { return p.answerTSP(a, b) })
		handle("POST", ServiceCMP, "application/cmp-response", func(b []byte) ([]byte, error) { return p.answerCMP(a, b) })
		handle("GET", ServiceCRL, "application/pkix-crl", func([]byte) ([]byte, error) { return p.makeCRL(a, false) })
		handle("GET", ServiceDelta, "application/pkix-crl", func([]byte) ([]byte, error) { return p.makeCRL(a, true) })
	}
	return mux
}

func (p *Provider) serve(w http.ResponseWriter, r *http.Request, service, contentType string, answer func([]byte) ([]byte, error)) {
	p.mu.Lock()
	fault := p.faults[service]
	p.asked[service]++
	p.mu.Unlock()
	request, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if fault.Delay > 0 { // only after the body, or the server would not see that the client has gone
		select {
		case <-time.After(fault.Delay):
		case <-r.Context().Done():
			return
		}
	}
	switch {
	case err != nil:
		http.Error(w, "request is too large", http.StatusRequestEntityTooLarge)
		return
	case fault.Down:
		http.Error(w, "down", http.StatusServiceUnavailable)
		return
	case fault.Garbage:
		io.WriteString(w, "<html><body>It works!</body></html>")
		return
	}
	b, err := answer(request)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", contentType)
	w.Write(b)
}

// answerCMP finds the certificates of an issuer by key identifiers: those of every authority of the same legal entity.
func (p *Provider) answerCMP(a *authority, request []byte) ([]byte, error) {
	ids, err := cmp.ParseRequest(request)
	if err != nil {
		return cmp.EncodeResponse(nil), nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	var found [][]byte
	for _, other := range p.authorities {
		if other.provider != a.provider {
			continue
		}
		for _, rec := range other.records {
			if !rec.hidden && rec.issued.Key.hasID(ids) {
				found = append(found, rec.issued.Certificate.Raw)
			}
		}
	}
	return cmp.EncodeResponse(found), nil
}

// hasID reports whether one of ids, filled to 32 octets, is an identifier of the key under any digest.
func (k *Key) hasID(ids [][]byte) bool {
	for _, oid := range keyIDDigests {
		own := make([]byte, 32)
		copy(own, digest(oid, k.public))
		for _, id := range ids {
			if bytes.Equal(own, id) {
				return true
			}
		}
	}
	return false
}
