package e2e

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// pack returns data as a writer of a compression makes it.
func pack(t *testing.T, data string, open func(io.Writer) (io.WriteCloser, error)) string {
	t.Helper()
	var packed bytes.Buffer
	w, err := open(&packed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.String()
}

func openGzip(w io.Writer) (io.WriteCloser, error)    { return gzip.NewWriter(w), nil }
func openZlib(w io.Writer) (io.WriteCloser, error)    { return zlib.NewWriter(w), nil }
func openDeflate(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestSpeed) }
func openZstd(w io.Writer) (io.WriteCloser, error)    { return zstd.NewWriter(w) }

func TestCompressedRequests(t *testing.T) {
	g := startGateway(t, nil, "--max-body-size=1MiB")
	blanks := strings.Repeat(" ", 20<<20)
	gzipBomb, zstdBomb := pack(t, blanks, openGzip), pack(t, blanks, openZstd)
	for i := range protocols {
		p := &protocols[i]
		plain := p.body("north/m", i == 1)
		for _, test := range []struct {
			name, encoding, body string
			status               int
		}{
			{"none", "identity", plain, 200},
			{"gzip", "gzip", pack(t, plain, openGzip), 200},
			{"its old name", "x-gzip", pack(t, plain, openGzip), 200},
			{"upper case", "GZIP", pack(t, plain, openGzip), 200},
			{"deflate", "deflate", pack(t, plain, openZlib), 200},
			{"deflate without its zlib header", "deflate", pack(t, plain, openDeflate), 200},
			{"zstd", "zstd", pack(t, plain, openZstd), 200},
			{"unknown", "br", plain, 415},
			{"twice", "gzip, gzip", pack(t, pack(t, plain, openGzip), openGzip), 415},
			{"not gzip", "gzip", plain, 400},
			{"half a gzip", "gzip", pack(t, plain, openGzip)[:20], 400},
			{"not zstd", "zstd", plain, 400},
			{"a bomb of gzip", "gzip", gzipBomb, 413},
			{"a bomb of zstd", "zstd", zstdBomb, 413},
		} {
			t.Run(p.name+": "+test.name, func(t *testing.T) {
				before := len(g.north.Requests())
				got := g.post(t.Context(), p, test.body, "Content-Encoding: "+test.encoding)
				log := g.north.Requests()[before:]
				if test.status != 200 {
					if err := p.checkError(got, test.status); err != nil || len(log) > 0 {
						t.Errorf("%v: %v; %d requests at the provider, want none", err, got, len(log))
					}
					return
				}
				if lacks := p.lacks(got.body, i == 1); got.status != 200 || lacks != "" || len(log) != 1 {
					t.Fatalf("%v, want 200 and %q; %d requests at the provider, want 1", got, lacks, len(log))
				}
				body, encoding := string(log[0].Body), log[0].Header.Get("Content-Encoding")
				if want := p.body("m", i == 1); body != want || encoding != "" {
					t.Errorf("the provider got %.200s in encoding %q, want %s plain", body, encoding, want)
				}
			})
		}
	}
}
