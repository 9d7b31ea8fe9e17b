package prices

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// server answers fetches, in its turn, and notes when they came.
type server struct {
	start time.Time
	at    []time.Duration
	etags []string
	serve func(n int, etag string) (document, error)
}

func (s *server) fetch(_ context.Context, _ Settings, etag string) (document, error) {
	s.at = append(s.at, time.Since(s.start))
	s.etags = append(s.etags, etag)
	return s.serve(len(s.at), etag)
}

func catalogAt(price string) []byte {
	return []byte(`{"openai": {"models": {"gpt-5.4": {"cost": {"input": ` + price + `, "output": 15}}}},` + filler + `}`)
}

func inputPrice(c *Catalog) int64 { return c.Find("api.openai.com", "gpt-5.4").Price.Input }

func TestSyncKeepsTheLastGoodCatalog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := map[int]document{2: {body: []byte("<html>")}, 3: {body: []byte(`{}`)}}
		from := &server{start: time.Now(), serve: func(n int, etag string) (document, error) {
			switch {
			case n == 1:
				return document{body: catalogAt("2"), etag: `"a"`}, nil
			case bad[n].body != nil:
				return bad[n], nil
			case n == 4:
				return document{}, errors.New("connection refused")
			case n == 5:
				return document{etag: etag}, nil
			}
			return document{body: catalogAt("3"), etag: `"b"`}, nil
		}}
		var log strings.Builder
		var swapped []int64
		var kept []string
		s := New(Options{
			Logger:  slog.New(slog.NewTextHandler(&log, nil)),
			Swapped: func(c *Catalog) { swapped = append(swapped, inputPrice(c)) },
			Keep:    func(d []byte, etag string) error { kept = append(kept, etag); return nil },
		})
		s.fetch = from.fetch
		s.Configure(Settings{URL: "http://catalog.example/api.json", Interval: 24 * time.Hour})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- s.Run(ctx) }()

		time.Sleep(firstSync)
		synctest.Wait()
		if got := inputPrice(s.Catalog()); got != 2_000_000 || s.Status().Source != SourceModelsDev {
			t.Fatalf("after the first sync the price is %d of %s", got, s.Status().Source)
		}
		time.Sleep(26*time.Hour + 6*time.Minute)
		synctest.Wait()
		if len(from.at) < 5 || inputPrice(s.Catalog()) != 2_000_000 {
			t.Fatalf("%d fetches, price %d: want the last good one after at least 5", len(from.at), inputPrice(s.Catalog()))
		}
		for i, least := range []time.Duration{20 * time.Hour, firstRetry * 8 / 10, 2 * firstRetry * 8 / 10, 4 * firstRetry * 8 / 10} {
			if waited := from.at[i+1] - from.at[i]; waited < least || waited > 2*least {
				t.Errorf("wait %d is %v, want about %v", i+1, waited, least)
			}
		}
		if status := s.Status(); status.Err != "" || !status.Succeeded.Equal(status.Tried) {
			t.Errorf("after an unchanged catalog the status is %+v", status)
		}
		time.Sleep(27 * time.Hour)
		synctest.Wait()
		if got := inputPrice(s.Catalog()); got != 3_000_000 {
			t.Errorf("the new price is %d", got)
		}
		if want := []string{"", `"a"`, `"a"`, `"a"`, `"a"`, `"a"`}; strings.Join(from.etags[:6], " ") != strings.Join(want, " ") {
			t.Errorf("entity tags sent: %q, want %q", from.etags, want)
		}
		if len(swapped) != 2 || len(kept) < 2 || kept[1] != `"b"` {
			t.Errorf("swapped %v, kept %q", swapped, kept)
		}
		if n := strings.Count(log.String(), "price sync failed"); n != 1 {
			t.Errorf("three failures in a row were logged %d times, want once:\n%s", n, &log)
		}
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Run returned %v", err)
		}
	})
}

func TestSettingsTakeEffectAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from := &server{start: time.Now(), serve: func(int, string) (document, error) { return document{body: catalogAt("2")}, nil }}
		s := New(Options{Logger: slog.New(slog.DiscardHandler)})
		s.fetch = from.fetch
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- s.Run(ctx) }()
		time.Sleep(48 * time.Hour)
		if len(from.at) != 0 {
			t.Errorf("%d fetches without settings", len(from.at))
		}
		s.Configure(Settings{URL: "http://catalog.example/", Interval: time.Hour})
		time.Sleep(firstSync)
		synctest.Wait()
		if len(from.at) != 1 {
			t.Errorf("%d fetches after the settings came, want 1", len(from.at))
		}
		s.Configure(Settings{})
		time.Sleep(48 * time.Hour)
		if len(from.at) != 1 {
			t.Errorf("%d fetches after they were taken away, want still 1", len(from.at))
		}
		cancel()
		<-done
	})
}

func TestAStoredCatalogIsRestored(t *testing.T) {
	s := New(Options{})
	if err := s.Restore([]byte("{}"), "x"); err == nil || s.Catalog() != Builtin() {
		t.Errorf("a broken document: %v, %s", err, s.Catalog().Source)
	}
	if err := s.Restore(catalogAt("7"), `"x"`); err != nil || inputPrice(s.Catalog()) != 7_000_000 || s.Catalog().ETag != `"x"` {
		t.Errorf("a good one: %v, %+v", err, s.Status())
	}
}
