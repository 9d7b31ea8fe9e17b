package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

const testToken = "0123456789abcdef"

// askAdmin gets a path of the admin API with the token and reads the answer.
func (p *process) askAdmin(path string, into any) {
	p.t.Helper()
	status, body := get("http://"+p.admin+path, "Authorization: Bearer "+testToken)
	if status != 200 {
		p.t.Fatalf("%s: %d %s", path, status, body)
	}
	if err := json.Unmarshal([]byte(body), into); err != nil {
		p.t.Fatalf("%s: %v: %s", path, err, body)
	}
}

func TestTheAdminAPITellsWhatTheGatewayDid(t *testing.T) {
	file := write(t, "octopus.yaml", testConfig(startProvider(t), "m")+
		"prices: [{model: scripted, input: 1, output: 2}]\nsettings: {stats_save_interval: 10ms}\n")
	p := start(t, []string{"OCTOPUS_ADMIN_TOKEN=" + testToken}, "start", "--config="+file, "--admin-hosts=octopus.example")
	begun := calls("m", false)
	for _, call := range begun {
		if status, body := call.do(t.Context(), p.data); status != 200 {
			t.Fatalf("%s: %d %s", call.path, status, body)
		}
	}

	type sums struct {
		Requests     int64
		OutputTokens int64 `json:"output_tokens"`
		CostNanoUSD  int64 `json:"cost_nano_usd"`
	}
	var summary struct{ Total, Today sums }
	eventually(t, "the statistics have all requests", func() bool {
		p.askAdmin("/api/v1/stats/summary", &summary)
		return summary.Total.Requests == int64(len(begun))
	})
	if summary.Today != summary.Total || summary.Total.OutputTokens == 0 || summary.Total.CostNanoUSD == 0 {
		t.Errorf("the summary is %+v", summary)
	}

	var logs struct {
		Items []struct {
			ID, Group   string
			CostNanoUSD int64 `json:"cost_nano_usd"`
			Attempts    []struct{ Channel, Model string }
		}
	}
	p.askAdmin("/api/v1/logs?channel=up&model=scripted&status=2xx", &logs)
	if len(logs.Items) != len(begun) || logs.Items[0].Group != "m" || len(logs.Items[0].Attempts) != 1 || logs.Items[0].Attempts[0].Channel != "up" {
		t.Fatalf("the log is %+v", logs)
	}
	var one struct{ ID string }
	if p.askAdmin("/api/v1/logs/"+logs.Items[0].ID, &one); one.ID != logs.Items[0].ID {
		t.Errorf("asked for %s, got %s", logs.Items[0].ID, one.ID)
	}

	var items struct{ Items []map[string]any }
	if p.askAdmin("/api/v1/prices", &items); len(items.Items) != 1 || items.Items[0]["model"] != "scripted" {
		t.Errorf("own prices are %v", items)
	}
	if p.askAdmin("/api/v1/prices/catalog?search=openai/gpt-5.4", &items); len(items.Items) == 0 {
		t.Error("the catalog has no gpt-5.4")
	}
	if p.askAdmin("/api/v1/prices/unpriced", &items); len(items.Items) != 0 {
		t.Errorf("without a price are %v", items)
	}

	var health struct {
		Items []struct {
			Channel, Model, State string
			LastError             *struct{ Class string } `json:"last_error"`
			LatencyMS             *float64                `json:"latency_ms"`
		}
	}
	p.askAdmin("/api/v1/health", &health)
	if len(health.Items) != 1 || health.Items[0].Channel != "up" || health.Items[0].Model != "scripted" || health.Items[0].State != "sound" ||
		health.Items[0].LastError != nil || health.Items[0].LatencyMS == nil {
		t.Errorf("health is %+v", health)
	}

	if status, body := get("http://"+p.admin+"/api/v1/logs", "Authorization: Bearer "+testToken+"0"); status != 401 {
		t.Errorf("with another token: %d %s", status, body)
	}
	if status, body := get("http://" + p.admin + "/metrics"); status != 200 {
		t.Errorf("metrics without token: %d %s", status, body)
	}
}

func TestModelsWithoutAPriceAreListed(t *testing.T) {
	file := write(t, "octopus.yaml", testConfig(startProvider(t), "m")+"settings: {stats_save_interval: 10ms, metrics_auth: true}\n")
	p := start(t, nil, "start", "--config="+file, "--admin-token="+testToken)
	other := calls("up/other", false)[0]
	if status, body := other.do(t.Context(), p.data); status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	var got []string
	eventually(t, "the statistics have the request", func() bool {
		var unpriced struct {
			Items []struct {
				Model    string
				Channel  *string
				Attempts int64
				Unknown  int64 `json:"cost_unknown_requests"`
			}
		}
		p.askAdmin("/api/v1/prices/unpriced", &unpriced)
		got = nil
		for _, m := range unpriced.Items {
			channel := "-"
			if m.Channel != nil {
				channel = *m.Channel
			}
			got = append(got, fmt.Sprint(m.Model, "@", channel, " ", m.Attempts, " ", m.Unknown))
		}
		return len(got) == 2
	})
	if want := []string{"other@- 1 1", "scripted@up 0 0"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if status, body := get("http://" + p.admin + "/metrics"); status != 401 || !strings.Contains(body, "unauthorized") {
		t.Errorf("metrics without token, which the setting wants: %d %s", status, body)
	}
}

func TestSearchesAreBounded(t *testing.T) {
	proves(t, "F67", "filters are plain text, limits and cursors have bounds, and what exceeds them is a 400 that names it")
	p := start(t, nil, "start", "--admin-token="+testToken)
	for path, want := range map[string]int{
		"/api/v1/logs?limit=1000000000":                               400,
		"/api/v1/prices/catalog?limit=99999999999999999999":           400,
		"/api/v1/logs?cursor=99999999999999999999":                    400,
		"/api/v1/logs?text=%%%":                                       200,
		"/api/v1/logs?text=((a%2B)%2B)%2B%24&model=.*":                200, // plain text, no pattern
		"/api/v1/prices/catalog?search=%%%&limit=500":                 200,
		"/api/v1/logs?text=" + strings.Repeat("a", 10_000):            400,
		"/api/v1/logs?from=9999-12-31T23:59:59Z":                      400,
		"/api/v1/stats/series?step=day&from=1980-01-01T00:00:00Z":     200,
		"/api/v1/stats/ranking?limit=501&order=requests":              400,
		"/api/v1/prices?limit=50&cursor=" + strings.Repeat("z", 5000): 400,
	} {
		begun := time.Now()
		status, body := get("http://"+p.admin+path, "Authorization: Bearer "+testToken)
		if took := time.Since(begun); status != want || took > 2*time.Second || len(body) > 1<<20 {
			t.Errorf("%.80s: %d after %v with %d bytes, want %d: %.200s", path, status, took, len(body), want, body)
		}
	}
}
