package e2e

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// dial opens a connection for what no HTTP client would send. Reads and writes on it end after patience.
func dial(t *testing.T, address string) *net.TCPConn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return conn.(*net.TCPConn)
}

// head returns the header section of a POST with the API key and further lines.
func head(path string, lines ...string) string {
	fixed := []string{"POST " + path + " HTTP/1.1", "Host: octopus", "Authorization: Bearer " + apiKey}
	return strings.Join(append(fixed, lines...), "\r\n") + "\r\n\r\n"
}

// writeRequest writes a whole request.
func writeRequest(t *testing.T, conn net.Conn, path, body string) {
	t.Helper()
	if _, err := fmt.Fprintf(conn, "%s%s", head(path, fmt.Sprintf("Content-Length: %d", len(body))), body); err != nil {
		t.Fatal(err)
	}
}

// readUntil reads up to a line that contains text.
func readUntil(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	lines := bufio.NewScanner(conn)
	for lines.Scan() {
		if strings.Contains(lines.Text(), text) {
			return
		}
	}
	t.Fatalf("no line with %q before the end: %v", text, lines.Err())
}

// readAnswer reads one answer to a POST from a raw connection.
func readAnswer(r *bufio.Reader) answer {
	response, err := http.ReadResponse(r, &http.Request{Method: "POST"})
	return read(response, err)
}
