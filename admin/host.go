package admin

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/valyala/fasthttp"
)

// checkedHost refuses requests that call the port by a name it does not answer to. A browser that was lured to a page
// whose name now points at this machine sends that name, and no page can make it send another.
func checkedHost(next fasthttp.RequestHandler) fasthttp.RequestHandler {
	return func(ctx *fasthttp.RequestCtx) {
		// Both carriers are checked: an absolute URI in the request line overrules the header (RFC 9112, section 3.2.2).
		if !ownHost(string(ctx.Request.Header.Host())) || !ownHost(string(ctx.URI().Host())) {
			refuse(ctx, fasthttp.StatusForbidden, "host_refused",
				"the admin port does not answer to this host name; call it by IP address or as localhost")
			return
		}
		next(ctx)
	}
}

// ownHost reports whether host, with a port or without, is localhost or an IP literal. The empty host is fine: HTTP/1.0
// probes send none, browsers always do.
func ownHost(host string) bool {
	if host == "" {
		return true
	}
	name, number, hasPort := strings.Cut(host, ":")
	if strings.EqualFold(name, "localhost") {
		_, err := strconv.ParseUint(number, 10, 16)
		return !hasPort || err == nil
	}
	if _, err := netip.ParseAddrPort(host); err == nil {
		return true
	}
	_, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"))
	return err == nil
}
