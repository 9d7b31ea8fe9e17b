package admin

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/valyala/fasthttp"
)

// checkedHost refuses requests that call the port by a name it does not answer to. A browser that was lured to a page
// whose name now points at this machine sends that name, and no page can make it send another. names are those that the
// port answers to besides.
func checkedHost(names []string, next fasthttp.RequestHandler) fasthttp.RequestHandler {
	return func(ctx *fasthttp.RequestCtx) {
		// Both carriers are checked: an absolute URI in the request line overrules the header (RFC 9112, section 3.2.2).
		if !ownHost(string(ctx.Request.Header.Host()), names) || !ownHost(string(ctx.URI().Host()), names) {
			refuse(ctx, fasthttp.StatusForbidden, "host_refused",
				"the admin port does not answer to this host name; call it by IP address, as localhost, or by a name of --admin-hosts")
			return
		}
		next(ctx)
	}
}

// ownHost reports whether host, with a port or without, is localhost, one of names, or an IP literal. The empty host is fine:
// HTTP/1.0 probes send none, browsers always do.
func ownHost(host string, names []string) bool {
	if host == "" {
		return true
	}
	name, number, hasPort := strings.Cut(host, ":")
	isName := func(of string) bool { return strings.EqualFold(name, of) }
	if isName("localhost") || slices.ContainsFunc(names, isName) {
		_, err := strconv.ParseUint(number, 10, 16)
		return !hasPort || err == nil
	}
	if _, err := netip.ParseAddrPort(host); err == nil {
		return true
	}
	_, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"))
	return err == nil
}
