package e2e

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func TestModelNamesFindTheirWay(t *testing.T) {
	g := startGateway(t, map[string]string{
		"groups":   group("south-only", "aliases: [s, \"vendor/alias\"]", "{channel: south, model: real-name}"),
		"api_keys": restrictedKeys,
	})
	for _, test := range []struct {
		name, model, key string
		// want is the model that the provider south is asked for, or "" for 404.
		want string
	}{
		{"a group", "south-only", apiKey, "real-name"},
		{"an alias", "s", apiKey, "real-name"},
		{"an alias with a slash", "vendor/alias", apiKey, "real-name"},
		{"channel/model", "south/any", apiKey, "any"},
		{"channel/model with a slash", "south/vendor/any", apiKey, "vendor/any"},
		{"another case", "South-Only", apiKey, ""},
		{"a channel alone", "south", apiKey, ""},
		{"a channel without a model", "south/", apiKey, ""},
		{"spaces around it", " south-only ", apiKey, ""},
		{"a group of the key", "south-only", "sk-octopus-group-0123456789", "real-name"},
		{"an alias of the key's group", "s", "sk-octopus-group-0123456789", "real-name"},
		{"not a group of the key", "octo-1", "sk-octopus-group-0123456789", ""},
		{"not a channel of the key", "south/any", "sk-octopus-group-0123456789", ""},
		{"a channel of the key", "south/any", "sk-octopus-channel-0123456789", "any"},
		{"not a channel of the other key", "north/any", "sk-octopus-channel-0123456789", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			for i := range protocols {
				p := &protocols[i]
				before := len(g.south.Requests())
				got := g.post(t.Context(), p, p.body(test.model, false), "Authorization: Bearer "+test.key)
				if test.want == "" {
					if err := p.checkError(got, 404); err != nil || !strings.Contains(got.body, strings.Trim(test.model, " ")) {
						t.Errorf("%s: %v: %v, want 404 with the model's name", p.name, err, got)
					}
					continue
				}
				log := g.south.Requests()[before:]
				if got.status != 200 || len(log) != 1 || log[0].Model != test.want {
					t.Errorf("%s: %v, provider's log %v; want one request for %s", p.name, got, log, test.want)
				}
			}
		})
	}
	if got := g.north.Counts().Requests + g.west.Counts().Requests; got != 0 {
		t.Errorf("other providers got %d requests", got)
	}
}

// restrictedKeys are keys that may not call everything, or nothing.
const restrictedKeys = `  - {name: group, key: sk-octopus-group-0123456789, groups: [south-only]}
  - {name: channel, key: sk-octopus-channel-0123456789, groups: [octo-1], channels: [south]}
  - {name: disabled, key: sk-octopus-disabled-0123456789, groups: ["*"], enabled: false}
  - {name: expired, key: sk-octopus-expired-0123456789, groups: ["*"], expires_at: 2026-01-01T00:00:00Z}
`

func TestModelsAreThoseOfTheKey(t *testing.T) {
	g := startGateway(t, map[string]string{
		"groups":   group("south-only", "aliases: [s]", "{channel: south, model: real-name}"),
		"api_keys": restrictedKeys,
	})
	for _, test := range []struct {
		name, key string
		want      []string
	}{
		{"all", apiKey, []string{"octo", "octo-1", "s", "south-only"}},
		{"one group", "sk-octopus-group-0123456789", []string{"s", "south-only"}},
		{"another group", "sk-octopus-channel-0123456789", []string{"octo", "octo-1"}},
	} {
		for _, version := range []string{"", "2023-06-01", "2026-10-21"} {
			headers := []string{"Authorization: Bearer " + test.key}
			if version != "" {
				headers = append(headers, "Anthropic-Version: "+version)
			}
			got := g.do(t.Context(), "GET", "/v1/models", "", headers...)
			var list struct {
				Data []struct {
					ID, Type, Object string
				}
				HasMore *bool `json:"has_more"`
			}
			if err := json.Unmarshal([]byte(got.body), &list); err != nil || got.status != 200 {
				t.Fatalf("%s, version %q: %v: %v", test.name, version, err, got)
			}
			var ids []string
			for _, model := range list.Data {
				ids = append(ids, model.ID)
				if version != "" && model.Type != "model" || version == "" && model.Object != "model" {
					t.Errorf("%s, version %q: %+v is no model in that shape", test.name, version, model)
				}
			}
			slices.Sort(ids)
			if !slices.Equal(ids, test.want) {
				t.Errorf("%s, version %q: models %v, want %v", test.name, version, ids, test.want)
			}
			if version != "" && (list.HasMore == nil || *list.HasMore) {
				t.Errorf("%s, version %q: has_more %v, want false", test.name, version, list.HasMore)
			}
		}
	}
}

func TestUnusableKeysGetTheSameAnswer(t *testing.T) {
	g := startGateway(t, map[string]string{
		"groups":   group("south-only", "aliases: [s]", "{channel: south, model: real-name}"),
		"api_keys": restrictedKeys,
	})
	for i := range protocols {
		p := &protocols[i]
		var first answer
		for j, header := range []string{
			"Authorization: Bearer sk-octopus-unknown-0123456789",
			"Authorization: Bearer sk-octopus-disabled-0123456789",
			"Authorization: Bearer sk-octopus-expired-0123456789",
			"Authorization: ",
			"Authorization: Basic " + apiKey,
			"X-Api-Key: sk-octopus-disabled-0123456789",
			"Authorization: Bearer " + apiKey + "x",
			"Authorization: Bearer " + strings.Repeat("x", 8000),
		} {
			got := g.post(t.Context(), p, p.body("octo-1", false), header)
			if err := p.checkError(got, 401); err != nil {
				t.Errorf("%s, %.60s: %v: %v", p.name, header, err, got)
			}
			got.body = strings.ReplaceAll(got.body, got.header.Get("X-Request-Id"), "ID")
			if j == 0 {
				first = got
			}
			if got.body != first.body {
				t.Errorf("%s, %.60s:\n%s\nwant\n%s", p.name, header, got.body, first.body)
			}
		}
		if got := g.do(t.Context(), "GET", "/v1/models", "", "X-Api-Key: sk-octopus-expired-0123456789"); got.status != 401 {
			t.Errorf("models with an expired key: %v, want 401", got)
		}
	}
	for _, provider := range g.providers() {
		if got := provider.Counts().Requests; got != 0 {
			t.Errorf("a provider got %d requests", got)
		}
	}
}

func TestBothCarriersOfTheKey(t *testing.T) {
	g := startGateway(t, nil)
	for i := range protocols {
		p := &protocols[i]
		if got := g.post(t.Context(), p, p.body("octo-1", false), "X-Api-Key: "+apiKey); got.status != 200 {
			t.Errorf("%s, x-api-key: %v, want 200", p.name, got)
		}
		both := []string{"X-Api-Key: " + apiKey, "Authorization: Bearer " + apiKey}
		if got := g.post(t.Context(), p, p.body("octo-1", false), both...); got.status != 200 {
			t.Errorf("%s, both equal: %v, want 200", p.name, got)
		}
		both[1] += "x"
		if err := p.checkError(g.post(t.Context(), p, p.body("octo-1", false), both...), 400); err != nil {
			t.Errorf("%s, both different: %v", p.name, err)
		}
	}
}
