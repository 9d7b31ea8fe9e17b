package e2e

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// goldenDir is where codec has its golden vectors.
const goldenDir = "../../../codec/testdata"

// goldenStream is what accumulate.mjs must know of a stream.
type goldenStream struct {
	Name    string          `json:"name"`
	Client  string          `json:"client"`
	Request json.RawMessage `json:"request"`
	// Fails is whether the stream ends with an error.
	Fails bool `json:"fails"`

	body []byte
}

// errorMarks are what only a stream that ends with an error has, by its client's protocol.
var errorMarks = map[string]string{"cc": `data: {"error":`, "rs": "event: response.failed\n", "am": "event: error\n"}

// goldenStreams returns what clients get of all streams that codec translates from one protocol into another.
func goldenStreams(t *testing.T) map[string]*goldenStream {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(goldenDir, "*-*", "sse", "*.out"))
	if err != nil {
		t.Fatal(err)
	}
	streams := map[string]*goldenStream{}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		base := strings.TrimSuffix(file, ".out")
		pair := filepath.Base(filepath.Dir(filepath.Dir(file)))
		client, target, _ := strings.Cut(pair, "-")
		if client == target || len(body) == 0 {
			continue // passed on as it came, or answered with an error in place of a stream
		}
		settings, err := os.ReadFile(base + ".json")
		if err != nil {
			t.Fatal(err)
		}
		s := &goldenStream{
			Name: pair + "/" + filepath.Base(base), Client: client,
			Fails: bytes.Contains(body, []byte(errorMarks[client])), body: body,
		}
		if err := json.Unmarshal(settings, s); err != nil {
			t.Fatal(err)
		}
		streams[s.Name] = s
	}
	if len(streams) < 100 {
		t.Fatalf("there are %d golden streams in %s", len(streams), goldenDir)
	}
	return streams
}

// TestSDKsAccumulateGoldenStreams gives every golden stream to the stream helper of its protocol's official SDK.
func TestSDKsAccumulateGoldenStreams(t *testing.T) {
	t.Parallel()
	streams := goldenStreams(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/streams" {
			list := make([]*goldenStream, 0, len(streams))
			for _, s := range streams {
				list = append(list, s)
			}
			if err := json.NewEncoder(w).Encode(list); err != nil {
				t.Error(err)
			}
			return
		}
		name, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/v1/")
		s := streams[name]
		if s == nil {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		_, _ = w.Write(s.body) // A client that has read the end may be gone.
	}))
	defer server.Close()
	runScript(t, &gateway{process: &process{data: strings.TrimPrefix(server.URL, "http://")}}, "accumulate")
}
