package gateway

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"octopus/codec"
	"octopus/gateway/dial"
	"octopus/gateway/outcome"
)

// Bounds of what is downloaded for a request (protocols.md D.11).
const (
	// maxDownload is the largest image or document, maxDownloads all of a request together, in bytes.
	maxDownload  = 20 << 20
	maxDownloads = 32 << 20
	// maxAddresses is how many a request may have downloaded.
	maxAddresses = 16
	// fetchTimeout bounds all downloads of a request: they run at the same time.
	fetchTimeout = 10 * time.Second
	// maxRedirects is how many redirects are followed. Each leads to an address that is checked like the first.
	maxRedirects = 3
	// fetchCheck is how often a call that downloads looks whether its client is still there.
	fetchCheck = 100 * time.Millisecond
)

// appendRequest appends the body for the call's target. What has to be downloaded for it is downloaded once per call, whatever
// becomes of the attempt.
func (a *attempt) appendRequest(dst []byte) ([]byte, error) {
	c := a.call
	if c.outcome.Operation == outcome.Stored {
		a.releaseBridge() // nothing else makes it ready for another answer
		a.useBridge(a.target.codec.Protocol)
		return dst, nil
	}
	c.request.Omit = a.omitted
	body, err := a.bridge.AppendRequest(dst, &c.request, a.target.codec)
	missing, ok := errors.AsType[*codec.Missing](err)
	if !ok {
		return body, err
	}
	c.download(missing.URLs)
	return a.bridge.AppendRequest(dst, &c.request, a.target.codec)
}

// download downloads what is at the addresses and adds it, or why it can't be had, to the request. It returns early, with a
// failure for each, when the call is abandoned.
func (c *call) download(addresses []string) {
	if c.request.Downloads == nil {
		c.request.Downloads = make(map[string]*codec.Download)
	}
	ctx, cancel := context.WithTimeout(c.gateway.origins.dialing, min(fetchTimeout, max(1, now().until(c.deadline()))))
	defer cancel()
	var budget atomic.Int64
	budget.Store(maxDownloads)
	var running sync.WaitGroup
	for _, address := range addresses {
		d := new(codec.Download)
		if len(c.request.Downloads) >= maxAddresses {
			d.Failure = fmt.Sprintf("it is one of more than %d addresses", maxAddresses)
		} else {
			running.Go(func() { c.gateway.fetcher.fetch(ctx, address, &budget, d) })
		}
		c.request.Downloads[address] = d
	}
	done := make(chan struct{})
	go func() {
		running.Wait()
		close(done)
	}()
	check := time.NewTicker(fetchCheck)
	defer check.Stop()
	for {
		select {
		case <-done:
			return
		case <-check.C:
			if c.ended() != notAbandoned {
				cancel()
			}
		}
	}
}

// fetcher downloads what clients name: over connections of its own, with nothing in the request that says who asks.
type fetcher struct {
	// dial connects to an address if it is a public one.
	dial    func(ctx context.Context, a dial.Address, timeout time.Duration) (net.Conn, error)
	gateway *Gateway
}

// fetch fills d with what is at an address, taking its size off the budget, until ctx ends.
func (f *fetcher) fetch(ctx context.Context, address string, budget *atomic.Int64, d *codec.Download) {
	defer func() {
		if r := recover(); r != nil {
			f.gateway.metrics.panics.Inc()
			f.gateway.logger.Error("panic while downloading an image", "panic", r, "stack", string(debug.Stack()))
			d.Failure = "the gateway failed"
		}
	}()
	for range maxRedirects + 1 {
		content, next, err := f.get(ctx, address, budget)
		switch {
		case err != nil:
			d.Failure = fetchFailure(ctx, err)
			return
		case next == "":
			d.Type = mediaTypeOf(content)
			d.Data = base64.StdEncoding.AppendEncode(nil, content)
			return
		}
		address = next
	}
	d.Failure = "it redirects too often"
}

// fetchError is why a download failed, in words for the client.
type fetchError string

// Error returns the words.
func (e fetchError) Error() string { return string(e) }

// fetchFailure words an error for the client. What is known of hosts that are not public stays with us.
func fetchFailure(ctx context.Context, err error) string {
	if told, ok := errors.AsType[fetchError](err); ok {
		return string(told)
	}
	if ctx.Err() != nil {
		return "it takes too long"
	}
	if failed, ok := errors.AsType[*dial.Error](err); ok {
		switch failed.Kind {
		case dial.Forbidden, dial.NotFound:
			return "its host has no public address"
		case dial.Certificate:
			return "the certificate of its host is not valid"
		}
		return "its host can't be reached"
	}
	return "its host broke off the answer"
}

// get asks for an address. It returns the content, or the address that the answer redirects to.
func (f *fetcher) get(ctx context.Context, address string, budget *atomic.Int64) (content []byte, next string, err error) {
	a, uri, err := dial.ParseDownload(address)
	if err != nil {
		return nil, "", fetchError(err.Error())
	}
	conn, err := f.dial(ctx, a, fetchTimeout)
	if err != nil {
		return nil, "", err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	request := "GET " + uri + " HTTP/1.1\r\nHost: " + a.HostHeader() +
		"\r\nUser-Agent: octopus\r\nAccept: image/*, application/pdf\r\nAccept-Encoding: identity\r\nConnection: close\r\n\r\n"
	if _, err := io.WriteString(conn, request); err != nil {
		return nil, "", err
	}
	upstream := &upstreamConn{Conn: conn}
	reader := bufio.NewReaderSize(&headerReader{conn: upstream, until: never}, maxResponseHeader)
	var h fasthttp.ResponseHeader
	for range maxInterim {
		if err := h.Read(reader); err != nil {
			return nil, "", err
		}
		if h.StatusCode() >= 200 {
			break
		}
	}
	if status := h.StatusCode(); status != fasthttp.StatusOK {
		if location := h.Peek(fasthttp.HeaderLocation); status/100 == 3 && len(location) > 0 {
			next, err := redirected(address, string(location))
			return nil, next, err
		}
		return nil, "", fetchError("its host answers with status " + strconv.Itoa(status))
	}
	if encoding := h.ContentEncoding(); len(encoding) > 0 && string(encoding) != "identity" {
		return nil, "", fetchError("its host encodes it, unasked")
	}
	var b body
	defer b.release()
	b.begin(upstream, &h, reader)
	content, err = readDownload(&b, budget)
	return content, "", err
}

// redirected resolves where an address leads. Nobody is led from https to http.
func redirected(address, location string) (string, error) {
	from, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	to, err := from.Parse(location)
	if err != nil || from.Scheme == "https" && to.Scheme != "https" {
		return "", fetchError("it redirects to an address that is not valid there")
	}
	return to.String(), nil
}

// readDownload reads a body to its end, unless its first bytes show that it is none of the types that models read.
func readDownload(b *body, budget *atomic.Int64) ([]byte, error) {
	var content []byte
	if b.framing == framedByLength && b.left > maxDownload {
		return nil, errLargeDownload
	}
	for {
		data, err := b.next(never)
		if err != nil && err != io.EOF {
			return nil, err
		}
		content = append(content, data...)
		switch {
		case len(content) > maxDownload:
			return nil, errLargeDownload
		case budget.Add(-int64(len(data))) < 0:
			return nil, fetchError(fmt.Sprintf("all there is to download is larger than %d MiB", maxDownloads>>20))
		case (err == io.EOF || len(content) >= sniffed) && mediaTypeOf(content) == "":
			return nil, fetchError("it is no JPEG, PNG, GIF, WebP or PDF")
		case err == io.EOF:
			return content, nil
		}
	}
}

var errLargeDownload = fetchError(fmt.Sprintf("it is larger than %d MiB", maxDownload>>20))

// sniffed is how many bytes mediaTypeOf looks at.
const sniffed = 12

// mediaTypeOf returns the MIME type that the first bytes of a file show, or "" when it is none that models read. What a server
// calls it does not count.
func mediaTypeOf(content []byte) string {
	switch {
	case bytes.HasPrefix(content, []byte("\xff\xd8\xff")):
		return "image/jpeg"
	case bytes.HasPrefix(content, []byte("\x89PNG\r\n\x1a\n")):
		return "image/png"
	case bytes.HasPrefix(content, []byte("GIF87a")), bytes.HasPrefix(content, []byte("GIF89a")):
		return "image/gif"
	case len(content) >= sniffed && string(content[:4]) == "RIFF" && string(content[8:12]) == "WEBP":
		return "image/webp"
	case bytes.HasPrefix(content, []byte("%PDF-")):
		return "application/pdf"
	}
	return ""
}
