package dial

import "net"

// Conn is a connection to an upstream. Reading, writing and deadlines are those of net.Conn, through TLS if there is
// any; a Read that ran into its deadline can be repeated, a Write can't.
type Conn struct {
	net.Conn
	tcp *net.TCPConn
}

// TCP returns the connection below TLS, or the connection itself. Bytes must go through the Conn.
func (c *Conn) TCP() *net.TCPConn { return c.tcp }

// Abort ends the connection at once: what is not sent yet is dropped, and the upstream sees a reset. It never waits,
// unlike Close, which tells a TLS peer goodbye and may block for 5 s over that. It may be called at any time by any
// goroutine; pending reads and writes fail with net.ErrClosed.
func (c *Conn) Abort() {
	// Errors mean that it is closed already.
	_ = c.tcp.SetLinger(0)
	_ = c.tcp.Close()
}
