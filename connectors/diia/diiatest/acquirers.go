package diiatest

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
)

func read(r *http.Request, into any) bool {
	return r.Header.Get("Content-Type") == "application/json" && json.NewDecoder(r.Body).Decode(into) == nil
}

func invalid() (int, any) {
	return http.StatusBadRequest, refusal(http.StatusBadRequest, "ValidationError")
}

func absent() (int, any) { return http.StatusNotFound, refusal(http.StatusNotFound, "NotFoundError") }

// diiaID reads scopes.diiaId of a branch or an offer; ok says that it is a list of scopes that the acquirer was granted.
func diiaID(body map[string]any) (scopes []string, ok bool) {
	all, _ := body["scopes"].(map[string]any)
	list, _ := all["diiaId"].([]any)
	for _, v := range list {
		scope, _ := v.(string)
		if scope != "auth" && scope != "hashedFilesSigning" {
			return nil, false
		}
		scopes = append(scopes, scope)
	}
	return scopes, len(scopes) > 0
}

// checkBranch is what the API wants of a branch.
func checkBranch(body map[string]any) bool {
	for _, name := range []string{"name", "customFullName", "customFullAddress", "email", "region", "district", "location", "street", "house"} {
		if v, ok := body[name].(string); !ok || v == "" {
			return false
		}
	}
	delivery, _ := body["deliveryTypes"].([]any)
	return slices.Contains(delivery, any("api")) && body["offerRequestType"] == "dynamic"
}

func (s *Server) createBranch(r *http.Request) (int, any) {
	var body map[string]any
	if !read(r, &body) || !checkBranch(body) {
		return invalid()
	}
	scopes, ok := diiaID(body)
	if !ok {
		return http.StatusForbidden, refusal(http.StatusForbidden, "AccessDeniedError")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	id := s.newID()
	body["_id"] = id
	s.branches[id] = &branch{body: body, scopes: scopes, offers: map[string]*offer{}}
	return http.StatusOK, map[string]string{"_id": id}
}

func (s *Server) listBranches(r *http.Request) (int, any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := []map[string]any{}
	for _, id := range sorted(s.branches) {
		all = append(all, s.branches[id].body)
	}
	return http.StatusOK, map[string]any{"total": len(all), "branches": window(r, all)}
}

func (s *Server) readBranch(r *http.Request) (int, any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.branches[r.PathValue("branch")]
	if b == nil {
		return absent()
	}
	return http.StatusOK, b.body
}

func (s *Server) writeBranch(r *http.Request) (int, any) {
	var body map[string]any
	if !read(r, &body) || !checkBranch(body) {
		return invalid()
	}
	scopes, ok := diiaID(body)
	if !ok {
		return http.StatusForbidden, refusal(http.StatusForbidden, "AccessDeniedError")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.branches[r.PathValue("branch")]
	if b == nil {
		return absent()
	}
	body["_id"] = r.PathValue("branch")
	b.body, b.scopes = body, scopes
	return http.StatusOK, map[string]any{"_id": body["_id"]}
}

func (s *Server) deleteBranch(r *http.Request) (int, any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.branches[r.PathValue("branch")] == nil {
		return absent()
	}
	delete(s.branches, r.PathValue("branch"))
	return http.StatusNoContent, nil
}

func (s *Server) createOffer(r *http.Request) (int, any) {
	var body map[string]any
	if !read(r, &body) {
		return invalid()
	}
	if name, _ := body["name"].(string); name == "" {
		return invalid()
	}
	scopes, ok := diiaID(body)
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.branches[r.PathValue("branch")]
	switch {
	case b == nil:
		return absent()
	case !ok || len(scopes) != 1 || !slices.Contains(b.scopes, scopes[0]):
		return http.StatusForbidden, refusal(http.StatusForbidden, "AccessDeniedError")
	}
	id := s.newID()
	body["_id"] = id
	b.offers[id] = &offer{body: body, scope: scopes[0]}
	return http.StatusOK, map[string]string{"_id": id}
}

func (s *Server) listOffers(r *http.Request) (int, any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.branches[r.PathValue("branch")]
	if b == nil {
		return absent()
	}
	all := []map[string]any{}
	for _, id := range sorted(b.offers) {
		all = append(all, b.offers[id].body)
	}
	return http.StatusOK, map[string]any{"total": len(all), "offers": window(r, all)}
}

func (s *Server) deleteOffer(r *http.Request) (int, any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.branches[r.PathValue("branch")]
	if b == nil || b.offers[r.PathValue("offer")] == nil {
		return absent()
	}
	delete(b.offers, r.PathValue("offer"))
	return http.StatusNoContent, nil
}

func (s *Server) createRequest(r *http.Request) (int, any) {
	var in struct {
		OfferID    string `json:"offerId"`
		RequestID  string `json:"requestId"`
		ReturnLink string `json:"returnLink"`
		SignAlgo   string `json:"signAlgo"`
		Data       struct {
			HashedFilesSigning struct {
				HashedFiles []struct {
					FileName string `json:"fileName"`
					FileHash string `json:"fileHash"`
				} `json:"hashedFiles"`
			} `json:"hashedFilesSigning"`
		} `json:"data"`
	}
	if !read(r, &in) || in.RequestID == "" {
		return invalid()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.branches[r.PathValue("branch")]
	if b == nil || b.offers[in.OfferID] == nil {
		return absent()
	}
	o := b.offers[in.OfferID]
	req := &request{branch: r.PathValue("branch"), offer: in.OfferID, scope: o.scope, trace: in.RequestID, returnLink: in.ReturnLink,
		algorithm: in.SignAlgo, made: s.cfg.Now()}
	req.name, _ = o.body["name"].(string)
	if req.returnLink == "" {
		req.returnLink, _ = o.body["returnLink"].(string)
	}
	if req.algorithm == "" {
		req.algorithm = "DSTU"
	}
	hash := in.RequestID
	if o.scope == "hashedFilesSigning" {
		files := in.Data.HashedFilesSigning.HashedFiles
		if len(files) != 1 || files[0].FileName == "" {
			return invalid()
		}
		req.file, hash = files[0].FileName, files[0].FileHash
	}
	var err error
	if req.hash, err = base64.StdEncoding.DecodeString(hash); err != nil || len(req.hash) != 32 || req.algorithm != "DSTU" && req.algorithm != "ECDSA" {
		return invalid()
	}
	id := s.newID()
	s.requests[id] = req
	return http.StatusOK, map[string]string{"deeplink": s.cfg.BaseURL + linkPath + id}
}
