package e2e

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"octopus/admin/requestlog"
	"octopus/admin/stats"
	"octopus/admin/store"
	"octopus/gateway/gatewaytest"
	"octopus/gateway/outcome"
)

// durable is a gateway whose database outlives its processes.
type durable struct {
	provider *gatewaytest.Provider
	file     string
	// database is its directory; key is what seals it.
	database string
	key      []byte
}

// newDurable returns a gateway with a database below a directory, which saves every interval. More is appended to its
// declarative file.
func newDurable(t *testing.T, dir string, interval time.Duration) *durable {
	t.Helper()
	d := &durable{provider: startProvider(t), database: filepath.Join(dir, "database"), key: bytes.Repeat([]byte{7}, 32)}
	d.file = "channels:\n" + channel("north", d.provider) +
		"groups:\n" + group("octo-1", "policy: {cooldown: {base: 10ms, max: 10ms}}", "{channel: north, model: m}", "{channel: north, model: n}") +
		"api_keys:\n  - {name: e2e, key: " + apiKey + `, groups: ["*"], channels: ["*"]}` + "\n" +
		"settings: {stats_save_interval: " + interval.String() + "}\n"
	return d
}

// args are the flags of the database.
func (d *durable) args() []string {
	return []string{"--database-path=" + d.database, "--secret-key=" + base64.StdEncoding.EncodeToString(d.key)}
}

// start runs a process on the database and returns when it is ready.
func (d *durable) start(t *testing.T, args ...string) *gateway {
	t.Helper()
	g := &gateway{process: startProcess(t, d.file, append(d.args(), args...)...), north: d.provider}
	if got := read(client.Get("http://" + g.admin + "/readyz")); got.status != 200 {
		t.Fatalf("readyz: %v", got)
	}
	return g
}

// kill ends a process with -9.
func (p *process) kill(t *testing.T) {
	t.Helper()
	if err := p.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-p.exited
}

// failsToStart runs a process that can't, and returns what it says.
func (d *durable) failsToStart(t *testing.T) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	command := exec.CommandContext(ctx, binary, append([]string{"start", "--server-host=127.0.0.1", "--server-port=0", "--admin-port=0"}, d.args()...)...)
	out, err := command.CombinedOutput()
	if command.ProcessState == nil || command.ProcessState.ExitCode() != 1 {
		t.Errorf("it ended with %v, want exit code 1; output:\n%s", err, out)
	}
	return string(out)
}

// open opens a copy of the database, as a crash left it, so that a process finds the original as it was.
func (d *durable) open(t *testing.T) *store.Store {
	t.Helper()
	s, err := d.tryOpen(t)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// opens reports whether the database can be opened.
func (d *durable) opens(t *testing.T) bool {
	t.Helper()
	s, err := d.tryOpen(t)
	return err == nil && s.Close() == nil
}

func (d *durable) tryOpen(t *testing.T) (*store.Store, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(path, os.DirFS(d.database)); err != nil {
		t.Fatal(err)
	}
	return store.Open(store.Options{Path: path, SecretKey: d.key, Logger: slog.New(slog.DiscardHandler)})
}

// sums are some numbers of a series.
type sums struct{ requests, failures, input, output, costUnknown int64 }

// seriesOf names a series of the statistics.
type seriesOf struct {
	dimension stats.Dimension
	id        string
}

// book is what the rows of a ledger say, added up.
type book struct {
	// ids has each request id and the number of its row.
	ids  map[string]uint64
	sums map[seriesOf]*sums
	// last is the number of the last row.
	last uint64
}

func newBook() *book { return &book{ids: make(map[string]uint64), sums: make(map[seriesOf]*sums)} }

// read adds the rows that are new, and checks that totals, hours and the index of ids agree with all rows.
func (b *book) read(t *testing.T, s *store.Store) {
	t.Helper()
	log, err := requestlog.Open(s)
	if err != nil {
		t.Fatal(err)
	}
	table, err := stats.Open(s)
	if err != nil {
		t.Fatal(err)
	}
	before := b.last
	for query := (requestlog.Query{Limit: requestlog.MaxLimit}); ; {
		page, err := log.Search(query)
		if err != nil {
			t.Fatal(err)
		}
		old := slices.IndexFunc(page.Rows, func(r *requestlog.Row) bool { return r.Number <= before })
		for _, row := range page.Rows[:max(old, 0)] {
			b.add(t, row)
		}
		if old >= 0 {
			break
		}
		for _, row := range page.Rows {
			b.add(t, row)
		}
		if query.Cursor = page.Next; query.Cursor == "" {
			break
		}
	}
	for _, dimension := range stats.Dimensions {
		ranking, err := table.Ranking(dimension, stats.Span{}, func(c *stats.Counters) int64 { return c.Requests })
		if err != nil {
			t.Fatal(err)
		}
		seen := 0
		for _, r := range ranking {
			total := table.Total(dimension, r.ID)
			want := b.sums[seriesOf{dimension, r.ID}]
			if want == nil {
				if dimension != stats.ByKey {
					t.Errorf("series %c %s has no rows", dimension, r.ID)
				}
				continue
			}
			seen++
			for name, c := range map[string]*stats.Counters{"total": &total, "sum of hours": &r.Counters} {
				if got := (sums{c.Requests, c.Failed(), c.Input, c.Output, c.CostUnknown}); got != *want {
					t.Errorf("series %c %s: the %s is %+v, the rows add up to %+v", dimension, r.ID, name, got, *want)
				}
			}
		}
		of := 0
		for series := range b.sums {
			if series.dimension == dimension {
				of++
			}
		}
		if seen != of {
			t.Errorf("dimension %c: %d series, the rows have %d", dimension, seen, of)
		}
	}
	for id, number := range b.ids {
		if number > before {
			if row, err := log.Find(id); err != nil || row == nil || row.Number != number {
				t.Fatalf("request %s, row %d: found %+v, %v", id, number, row, err)
			}
		}
	}
}

// add adds one row.
func (b *book) add(t *testing.T, row *requestlog.Row) {
	if number, twice := b.ids[row.ID]; twice {
		t.Errorf("request %s is in rows %d and %d", row.ID, number, row.Number)
	}
	b.ids[row.ID] = row.Number
	b.last = max(b.last, row.Number)
	count := func(dimension stats.Dimension, id string, class outcome.Class, used bool) {
		if id == "" && dimension != stats.All {
			return
		}
		s := b.sums[seriesOf{dimension, id}]
		if s == nil {
			s = new(sums)
			b.sums[seriesOf{dimension, id}] = s
		}
		s.requests++
		if class != outcome.ClassNone {
			s.failures++
		}
		if used {
			s.input, s.output = s.input+row.Usage.Input, s.output+row.Usage.Output
			if !row.CostKnown {
				s.costUnknown++
			}
		}
	}
	count(stats.All, "", row.Class, true)
	count(stats.ByGroup, row.GroupID, row.Class, true)
	count(stats.ByAPIKey, row.APIKeyID, row.Class, true)
	for i, a := range row.Attempts {
		served := i == len(row.Attempts)-1
		count(stats.ByChannel, a.ChannelID, a.Class, served)
		count(stats.ByModel, a.Model, a.Class, served)
	}
}

// total is the number of rows.
func (b *book) total() int { return len(b.ids) }

// acknowledged is an answer that a client has whole.
type acknowledged struct {
	id   string
	at   time.Time
	took time.Duration
}

// load asks a gateway from several clients over kept connections until it ends. Make it with startLoad.
type load struct {
	asking sync.WaitGroup
	cancel context.CancelFunc
	// mu guards answers.
	mu      sync.Mutex
	answers []acknowledged
}

// loadModels are what the clients of a load ask for in turn: answers and streams, repeated attempts, failures and refusals.
var loadModels = []string{
	"octo-1", "north/m!tokens=3,burst", "north/m!status=500,times=1", "no-such-model", "octo-1", "north/m!cached=3,tokens=2", "octo-1",
	"north/m!status=400", "octo-1", "north/m!cut=1",
}

// startLoad starts that many clients.
func startLoad(ctx context.Context, g *gateway, clients int, models ...string) *load {
	ctx, cancel := context.WithCancel(ctx)
	l := &load{cancel: cancel}
	for c := range clients {
		l.asking.Go(func() {
			kept := &http.Client{Transport: &http.Transport{}}
			defer kept.CloseIdleConnections()
			for i := c; ctx.Err() == nil; i++ {
				p := &protocols[i%3]
				begun := time.Now()
				id, err := g.askOn(ctx, kept, p, p.body(models[i%len(models)], i/3%2 == 0))
				if err != nil {
					continue
				}
				a := acknowledged{id, time.Now(), time.Since(begun)}
				l.mu.Lock()
				l.answers = append(l.answers, a)
				l.mu.Unlock()
			}
		})
	}
	return l
}

// end ends the load and returns the answers that were whole.
func (l *load) end() []acknowledged {
	l.cancel()
	l.asking.Wait()
	return l.answers
}

// count returns how many answers there are by now.
func (l *load) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.answers)
}

// askOn asks over a client's connections and returns the request id once the answer is whole.
func (g *gateway) askOn(ctx context.Context, c *http.Client, p *protocol, body string) (id string, err error) {
	request, err := http.NewRequestWithContext(ctx, "POST", "http://"+g.data+p.path, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	request.Header.Set("Authorization", "Bearer "+apiKey)
	request.Header.Set("Content-Type", "application/json")
	response, err := c.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	if _, err = io.Copy(io.Discard, response.Body); err != nil {
		return "", err
	}
	if id = response.Header.Get("X-Request-Id"); id == "" {
		return "", fmt.Errorf("an answer %d without id", response.StatusCode)
	}
	return id, nil
}
