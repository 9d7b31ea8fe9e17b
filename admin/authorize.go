package admin

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"

	"github.com/valyala/fasthttp"
)

// MinToken is how many characters an admin token has at least.
const MinToken = 16

// access says who may call a route.
type access uint8

const (
	// forAdmin routes are called with the admin token.
	forAdmin access = iota
	// forAnyone routes need no credential.
	forAnyone
	// forScrapers routes need the admin token where the setting metrics_auth says so.
	forScrapers
)

// authorize returns why a request may not call a route, nil when it may.
func (s *Server) authorize(ctx *fasthttp.RequestCtx, a access) error {
	if a == forAnyone || a == forScrapers && !s.options.Config().Settings.MetricsAuth {
		return nil
	}
	if s.options.Token == "" {
		return refused(fasthttp.StatusUnauthorized, "no_admin_token",
			"the server has no admin token, so nobody may call this; start it with --admin-token or OCTOPUS_ADMIN_TOKEN")
	}
	scheme, token, _ := bytes.Cut(ctx.Request.Header.Peek("Authorization"), []byte(" "))
	// Hashes have one length, so that the time of the comparison says nothing about the token's.
	got, want := sha256.Sum256(bytes.TrimSpace(token)), sha256.Sum256([]byte(s.options.Token))
	if bytes.EqualFold(scheme, []byte("bearer")) && subtle.ConstantTimeCompare(got[:], want[:]) == 1 {
		return nil
	}
	ctx.Response.Header.Set("WWW-Authenticate", "Bearer")
	return refused(fasthttp.StatusUnauthorized, "unauthorized", "expected the header Authorization: Bearer and the admin token")
}
