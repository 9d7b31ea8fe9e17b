package gateway

import (
	"io"
	"strings"
	"testing"

	"octopus/codec/llm"
	"octopus/gateway/config"
	"octopus/gateway/outcome"
)

func TestBodiesAreKeptAsTheSettingSays(t *testing.T) {
	for _, test := range []struct {
		setting, script string
		kept            bool
	}{
		{config.LogBodiesNone, "", false},
		{config.LogBodiesNone, "status=400", false},
		{config.LogBodiesErrors, "", false},
		{config.LogBodiesErrors, "status=400", true},
		{config.LogBodiesAll, "", true},
		{config.LogBodiesAll, "status=400", true},
	} {
		t.Run(test.setting+" "+test.script, func(t *testing.T) {
			w := newWorld(t, 1, func(c *config.Config) { c.Settings.LogBodies = test.setting })
			for _, p := range llm.Protocols {
				for _, stream := range []bool{false, true} {
					row := w.script(test.script)
					request := requestBody(p, "m", stream)
					resp := w.post(paths[p], request)
					answer, err := io.ReadAll(resp.Body)
					_ = resp.Body.Close()
					if err != nil {
						t.Fatal(err)
					}
					o := w.ledger.wait(t, row)
					wantRequest, wantAnswer := "", ""
					if test.kept {
						wantRequest, wantAnswer = request, string(answer)
					}
					if string(o.RequestBody) != wantRequest || string(o.ResponseBody) != wantAnswer {
						t.Errorf("%v, stream %t: kept\n%s\n%s\nwant\n%s\n%s", p, stream, o.RequestBody, o.ResponseBody, wantRequest, wantAnswer)
					}
				}
			}
		})
	}
}

func TestOnlyTheBeginningOfABodyIsKept(t *testing.T) {
	w := newWorld(t, 1, func(c *config.Config) { c.Settings.LogBodies = config.LogBodiesAll })
	row := w.script("size=200000")
	resp := w.post("/v1/chat/completions", `{"model":"m","stream":true,"messages":[{"role":"user","content":"`+strings.Repeat("x", 100_000)+`"}]}`)
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	if o := w.ledger.wait(t, row); len(o.RequestBody) != outcome.MaxBody || len(o.ResponseBody) != outcome.MaxBody {
		t.Errorf("%d and %d bytes are kept, want %d", len(o.RequestBody), len(o.ResponseBody), outcome.MaxBody)
	}
}
