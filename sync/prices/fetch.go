package prices

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/valyala/fasthttp"

	"octopus/gateway/dial"
)

const (
	// maxDocument is the largest catalog that is read, in bytes. The one of 2026-11 has 2.4 MB.
	maxDocument = 32 << 20
	// fetchTimeout bounds one fetch as a whole, connectTimeout its connection.
	fetchTimeout   = 2 * time.Minute
	connectTimeout = 10 * time.Second
)

// document is what a fetch brought. A nil body means that the catalog is still the one with the entity tag that was sent.
type document struct {
	body []byte
	etag string
}

// fetch reads a catalog from where the settings say unless it still has the entity tag. Redirects are not followed.
func fetch(ctx context.Context, dialer *dial.Dialer, from Settings, etag string) (document, error) {
	u, err := dial.ParseURL(from.URL)
	if err != nil {
		return document{}, fmt.Errorf("prices: price_sync_url: %w", err)
	}
	proxy, err := dial.ParseProxy(from.Proxy.Reveal())
	if err != nil {
		return document{}, fmt.Errorf("prices: proxy: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // of what waits for its end too
	client := fasthttp.HostClient{
		Addr: u.Address.String(),
		Dial: func(string) (net.Conn, error) {
			c, err := dialer.DialThrough(ctx, proxy, u.Address, connectTimeout)
			if err != nil {
				return nil, err
			}
			// fasthttp knows deadlines only: a process that ends does not wait for a silent server.
			context.AfterFunc(ctx, func() { _ = c.Close() })
			return c, nil
		},
		MaxResponseBodySize:       maxDocument,
		MaxIdemponentCallAttempts: 1,
	}
	defer client.CloseIdleConnections()
	request, response := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(request)
	defer fasthttp.ReleaseResponse(response)
	// The connection is made, and made safe, by the dialer: to fasthttp it is a plain one.
	request.SetRequestURI("http://" + u.Address.HostHeader() + u.RequestURI(""))
	request.Header.Set(fasthttp.HeaderUserAgent, "octopus")
	request.Header.Set(fasthttp.HeaderAccept, "application/json")
	request.SetConnectionClose()
	if etag != "" {
		request.Header.Set(fasthttp.HeaderIfNoneMatch, etag)
	}
	deadline := time.Now().Add(fetchTimeout)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	switch err := client.DoDeadline(request, response, deadline); {
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		return document{}, fmt.Errorf("prices: the catalog is larger than %d MiB", maxDocument>>20)
	case err != nil && ctx.Err() != nil:
		return document{}, fmt.Errorf("prices: fetch the catalog: %w", ctx.Err())
	case err != nil:
		return document{}, fmt.Errorf("prices: fetch the catalog: %w", err)
	}
	switch status := response.StatusCode(); {
	case status == fasthttp.StatusNotModified && etag != "":
		return document{etag: etag}, nil
	case status != fasthttp.StatusOK:
		return document{}, fmt.Errorf("prices: fetch the catalog: status %d", status)
	}
	return document{body: append([]byte{}, response.Body()...), etag: string(response.Header.Peek(fasthttp.HeaderETag))}, nil
}
