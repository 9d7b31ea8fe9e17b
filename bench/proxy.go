package main

import (
	"net"

	"github.com/valyala/fasthttp"
)

// proxy is the floor: the least that a streaming proxy on stock fasthttp does. It puts the upstream's credential in place
// of the client's, and that is all: it reads no body, knows no keys or models, counts nothing, has no limit and no
// timeout, and passes a cut stream on as a whole one.
type proxy struct {
	server fasthttp.Server
	client fasthttp.HostClient
	// credential is the header that carries the credential.
	credential, value string
	served            chan error
	listener          net.Listener
}

// startProxy returns a proxy on a free port of 127.0.0.1, in front of the server at upstream. The caller closes it.
func startProxy(upstream string, d *dialect) (*proxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{
		client:     fasthttp.HostClient{Addr: upstream, StreamResponseBody: true, MaxConns: 1 << 20},
		credential: d.credential,
		value:      d.scheme + upstreamKey,
		served:     make(chan error, 1),
		listener:   listener,
	}
	p.server.Handler = p.handle
	go func() { p.served <- p.server.Serve(listener) }()
	return p, nil
}

// address returns host and port.
func (p *proxy) address() string { return p.listener.Addr().String() }

// close stops listening and closes idle connections. Requests that run go on.
func (p *proxy) close() error {
	err := p.listener.Close()
	<-p.served // its error says that the listener is closed
	p.client.CloseIdleConnections()
	return err
}

func (p *proxy) handle(ctx *fasthttp.RequestCtx) {
	ctx.Request.Header.Set(p.credential, p.value)
	// Do resets the response, and the body is read when handle has returned: it can't be ctx.Response.
	response := fasthttp.AcquireResponse()
	if err := p.client.Do(&ctx.Request, response); err != nil {
		fasthttp.ReleaseResponse(response)
		ctx.Error(err.Error(), fasthttp.StatusBadGateway)
		return
	}
	response.Header.CopyTo(&ctx.Response.Header)
	ctx.Response.SetBodyStream(&relayedBody{response}, max(response.Header.ContentLength(), -1))
}

// relayedBody is the body of an upstream's answer, which it releases when it is closed.
type relayedBody struct{ response *fasthttp.Response }

// Read reads from the upstream.
func (b *relayedBody) Read(p []byte) (int, error) { return b.response.BodyStream().Read(p) }

// Close gives the connection back when the body was read to its end, and closes it otherwise.
func (b *relayedBody) Close() error {
	err := b.response.CloseBodyStream()
	fasthttp.ReleaseResponse(b.response)
	return err
}
