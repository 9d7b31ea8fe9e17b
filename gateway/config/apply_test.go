package config

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

const twoChannels = `
channels:
  - {name: a, type: anthropic, base_url: "https://a.example", keys: [sk-1, {name: two, key: sk-2}, sk-3]}
  - {name: b, type: anthropic, base_url: "https://b.example"}
groups:
  - {name: g, aliases: [h], members: [{channel: a, model: m}]}
api_keys:
  - {name: k, key: sk-octopus-0123456789abcdef, groups: [g], channels: [b]}
prices:
  - {model: m, input: 1}
  - {model: m, channel: b, input: 2}
settings: {relay_headers: false}
`

func TestApplyingTheSameFileAgain(t *testing.T) {
	f := mustParse(t, twoChannels)
	first, changed, err := f.Apply(Empty())
	if err != nil || !changed || first.Revision != 1 {
		t.Fatalf("changed %v, revision %d, error %v", changed, first.Revision, err)
	}
	for name, text := range map[string]string{
		"the same bytes":        twoChannels,
		"another comment":       twoChannels + "# tidied up\n",
		"a part of the content": "settings: {relay_headers: false}",
		"defaults written out":  strings.Replace(twoChannels, "{name: b,", "{name: b, enabled: true, models: [], params: {}, client_gone: cancel,", 1),
	} {
		t.Run(name, func(t *testing.T) {
			next, changed, err := mustParse(t, text).Apply(first)
			if next != first || changed || err != nil {
				t.Errorf("changed %v, error %v, same %v; want the current configuration", changed, err, next == first)
			}
		})
	}
}

func TestApplyKeepsWhatItIsGiven(t *testing.T) {
	f := mustParse(t, twoChannels)
	first, _, err := f.Apply(Empty())
	if err != nil {
		t.Fatal(err)
	}
	before := revealed(t, first)
	mustApply(t, first, strings.ReplaceAll(strings.ReplaceAll(twoChannels, "sk-1", "sk-9"), "false", "true"))
	if after := revealed(t, first); after != before {
		t.Errorf("Apply changed the current configuration\ngot  %s\nwant %s", after, before)
	}
	second, _, err := f.Apply(Empty())
	if err != nil {
		t.Fatal(err)
	}
	if second.Channels[0].ID == first.Channels[0].ID || second.Channels[0].Keys[0].ID == first.Channels[0].Keys[0].ID {
		t.Error("a file applied twice from the start gave the same random IDs")
	}
}

func TestRevisionsFollowChanges(t *testing.T) {
	first := mustApply(t, Empty(), twoChannels)
	next := mustApply(t, first, strings.Replace(twoChannels, "https://b.example", "https://c.example", 1))
	if next.Revision != 2 {
		t.Fatalf("revision %d, want 2", next.Revision)
	}
	if next.Channels[0].Object != first.Channels[0].Object || next.Groups[0].Object != first.Groups[0].Object ||
		next.APIKeys[0].Object != first.APIKeys[0].Object || next.Prices[1].Object != first.Prices[1].Object {
		t.Error("an unchanged object has another ID or revision")
	}
	changed := Object{ID: first.Channels[1].ID, Revision: 2, Managed: ManagedByFile}
	if next.Channels[1].Object != changed {
		t.Errorf("changed channel is %+v, want %+v", next.Channels[1].Object, changed)
	}
	if next.Channels[1].Endpoints[0].BaseURL != "https://c.example" {
		t.Errorf("base URL %q, want the new one", next.Channels[1].Endpoints[0].BaseURL)
	}
}

func TestOrderOfTheFileIsKept(t *testing.T) {
	first := mustApply(t, Empty(), "groups: [{name: a}, {name: b}]")
	next := mustApply(t, first, "groups: [{name: b}, {name: a}]")
	if next.Groups[0].Name != "b" || next.Groups[0].Object != first.Groups[1].Object {
		t.Errorf("first group is %s %+v, want b, unchanged", next.Groups[0].Name, next.Groups[0].Object)
	}
}

func TestKeysKeepTheirIDs(t *testing.T) {
	first := mustApply(t, Empty(), twoChannels)
	one, two, three := first.Channels[0].Keys[0].ID, first.Channels[0].Keys[1].ID, first.Channels[0].Keys[2].ID
	for _, c := range []struct {
		name, keys string
		// want has "" for a new ID.
		want []string
	}{
		{"moved", "[sk-3, {name: two, key: sk-2}, sk-1]", []string{three, two, one}},
		{"new secret under the same name", "[sk-1, {name: two, key: sk-9}, sk-3]", []string{one, two, three}},
		{"another name for the same secret", "[sk-1, {name: zwei, key: sk-2}, {name: drei, key: sk-3}]", []string{one, two, three}},
		{"a new key and one less", "[sk-4, {name: two, key: sk-2}, sk-3]", []string{"", two, three}},
		{"a name that moves to another secret", "[{name: two, key: sk-1}, sk-2]", []string{two, ""}},
		{"another weight", "[{key: sk-1, weight: 5}]", []string{one}},
		{"none", "[]", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			next := mustApply(t, first, strings.Replace(twoChannels, "[sk-1, {name: two, key: sk-2}, sk-3]", c.keys, 1))
			old := map[string]bool{one: true, two: true, three: true}
			var got []string
			for _, key := range next.Channels[0].Keys {
				if old[key.ID] {
					got = append(got, key.ID)
				} else if got = append(got, ""); !isID(key.ID) {
					t.Errorf("new ID %q", key.ID)
				}
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("IDs %v, want %v", got, c.want)
			}
		})
	}
}

// withPanelObjects returns twoChannels applied beside one object of each kind from the panel.
func withPanelObjects(t *testing.T) *Config {
	c := mustApply(t, Empty(), twoChannels)
	panel := mustApply(t, Empty(), `
channels: [{name: pa, type: anthropic, base_url: "https://p.example", auth: none}]
groups: [{name: pg, aliases: [ph], members: [{channel: pa, model: m}]}]
api_keys: [{name: pk, key: sk-octopus-panel-0123456789, groups: [pg]}]
prices: [{model: pm, channel: pa, input: 1}]
`)
	panel.Channels[0].Managed, panel.Groups[0].Managed, panel.APIKeys[0].Managed, panel.Prices[0].Managed = "", "", "", ""
	c.Channels = append(c.Channels, panel.Channels[0])
	c.Groups = append(c.Groups, panel.Groups[0])
	c.APIKeys = append(c.APIKeys, panel.APIKeys[0])
	c.Prices = append(c.Prices, panel.Prices[0])
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestWhatTheFileNoLongerLists(t *testing.T) {
	current := withPanelObjects(t)
	names := func(c *Config) string {
		var all []string
		for _, o := range c.Channels {
			all = append(all, o.Name)
		}
		for _, o := range c.Groups {
			all = append(all, o.Name)
		}
		for _, o := range c.APIKeys {
			all = append(all, o.Name)
		}
		for _, o := range c.Prices {
			all = append(all, o.Model+"@"+o.Channel)
		}
		return strings.Join(all, " ")
	}
	for _, c := range []struct{ name, text, want string }{
		{"sections left out stay", "prices: []", "a b pa g pg k pk pm@pa"},
		{"one of two goes", "prices: [{model: m, channel: b, input: 2}]", "a b pa g pg k pk pm@pa m@b"},
		{"all go, and those of the panel stay", "channels: []\ngroups: []\napi_keys: []\nprices: []", "pa pg pk pm@pa"},
		{"new ones come", "groups: [{name: new, members: [{channel: pa, model: m}]}, {name: g}]", "a b pa pg new g k pk m@ m@b pm@pa"},
	} {
		t.Run(c.name, func(t *testing.T) {
			next := mustApply(t, current, c.text)
			if got := names(next); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestSettingsChangeFieldByField(t *testing.T) {
	current := mustApply(t, Empty(), "settings: {log_retention: 1h, cors_origins: ['https://a.example'], response_store: {ttl: 1h}}")
	next := mustApply(t, current, "settings: {metrics_auth: true, response_store: {max_bytes: 1KiB}}")
	want := DefaultSettings()
	want.LogRetention, want.CORSOrigins, want.MetricsAuth = time.Hour, []string{"https://a.example"}, true
	want.ResponseStore = ResponseStore{TTL: time.Hour, MaxBytes: 1024}
	if !reflect.DeepEqual(next.Settings, want) {
		t.Errorf("got  %+v\nwant %+v", next.Settings, want)
	}
}

func TestErrorsOfApplying(t *testing.T) {
	current := withPanelObjects(t)
	const outside = ": an object of this name was made outside the file; rename or remove one of them"
	for _, c := range []struct{ name, text, want string }{
		{"a channel of the panel", "channels:\n- {name: b, type: anthropic, base_url: 'https://b.example'}\n- {name: pa, type: anthropic, base_url: 'https://b.example'}", `line 3: channels["pa"]` + outside},
		{"a group of the panel", "groups: [{name: pg}]", `line 1: groups["pg"]` + outside},
		{"an API key of the panel", "api_keys: [{name: pk, key: sk-octopus-0123456789abcdef}]", `line 1: api_keys["pk"]` + outside},
		{"a price of the panel", "prices: [{model: pm, channel: pa, input: 1}]", `line 1: prices["pm", "pa"]` + outside},
		{"a name that is an alias of the panel", "groups:\n- name: g\n- name: ph", `groups["pg"].aliases[0]: "ph" is also the name of a group`},
		{"an alias that is a group of the panel", "groups:\n- name: g\n  aliases:\n  - x\n  - pg", `line 5: groups["g"].aliases[1]: "pg" is also the name of a group`},
		{"the key of another API key", "api_keys:\n- name: k\n  groups: []\n  key: sk-octopus-panel-0123456789", `line 4: api_keys["k"].key: is the same as that of api_keys["pk"]`},
		{"a channel that others need", "channels: []", `groups["g"].members[0].channel: there is no channel "a"; api_keys["k"].channels[0]: there is no channel "b"; prices["m", "b"].channel: there is no channel "b"`},
		{"errors with a line stand first", "channels:\n- {name: a, type: anthropic, base_url: 'https://a.example', auth: token}",
			`line 2: channels["a"].auth: must be bearer, x-api-key, api-key or none; api_keys["k"].channels[0]: there is no channel "b"; prices["m", "b"].channel: there is no channel "b"`},
	} {
		t.Run(c.name, func(t *testing.T) { checkApplyError(t, current, c.text, c.want) })
	}
}

func checkApplyError(t *testing.T, current *Config, text, want string) {
	t.Helper()
	next, changed, err := mustParse(t, text).Apply(current)
	if err == nil || next != nil || changed {
		t.Fatalf("next %v, changed %v, error %v; want only an error", next, changed, err)
	}
	if err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// TestLinesOfInvalidFields has the ways from a field of the configuration to its line in the file.
func TestLinesOfInvalidFields(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"a field", "channels:\n- name: a\n  type: anthropic\n  base_url: https://a.example\n  auth: token", `line 5: channels["a"].auth: must be bearer, x-api-key, api-key or none`},
		{"a field in JSON", "{\"channels\": [\n{\"name\": \"a\", \"type\": \"anthropic\", \"base_url\": \"https://a.example\",\n\"auth\": \"token\"}]}", `line 3: channels["a"].auth: must be bearer, x-api-key, api-key or none`},
		{"a field left out", "channels:\n- type: anthropic\n  name: b", `line 2: channels["b"].base_url: must be given`},
		{"a type left out", "channels:\n- base_url: https://b.example\n  name: b", `line 2: channels["b"].type: must be openai-chat, openai-responses or anthropic`},
		{"a further endpoint", "channels:\n- name: a\n  type: anthropic\n  base_url: https://a.example\n  endpoints:\n  - base_url: https://a.example\n    type: anthropic", `line 7: channels["a"].endpoints[0].type: is an endpoint of this channel already`},
		{"a key written short", "channels:\n- name: a\n  type: anthropic\n  base_url: https://a.example\n  keys:\n  - sk 1", `line 6: channels["a"].keys[0].key: must be visible ASCII, without spaces or line breaks`},
		{"a key out of a variable", "channels:\n- name: a\n  type: anthropic\n  base_url: https://a.example\n  keys:\n  - key: ${EMPTY}", `line 6: channels["a"].keys[0].key: must be given`},
		{"a header", "channels:\n- name: a\n  type: anthropic\n  base_url: https://a.example\n  headers:\n    x-b: c\n    aUTHORIZATION: x", `line 7: channels["a"].headers.Authorization: must not be set here: credentials belong in keys`},
		{"a header in two spellings", "channels:\n- name: a\n  type: anthropic\n  base_url: https://a.example\n  headers:\n    x-b: c\n    X-B: d", `line 7: channels["a"].headers.X-B: is given twice`},
		{"a param", "channels:\n- name: a\n  type: anthropic\n  base_url: https://a.example\n  params:\n    model: x", `line 6: channels["a"].params.model: must not be set here: the member of a group names the model`},
		{"a member", "groups:\n- name: g\n  members:\n  - {channel: a,\n     model: m}", `line 4: groups["g"].members[0].channel: there is no channel "a"`},
		{"a name with dots and brackets", "groups:\n- name: a.b[c\n  policy:\n    attempts: 0", `line 4: groups["a.b[c"].policy.attempts: must be from 1 to 20`},
		{"a value behind an alias", "groups:\n- name: a\n  policy: &p {attempts: 4}\n- name: b\n  policy: &q\n    attempts: 0\n- name: c\n  policy: *q",
			`line 6: groups["b"].policy.attempts: must be from 1 to 20; line 6: groups["c"].policy.attempts: must be from 1 to 20`},
		{"an API key's groups", "api_keys:\n- name: k\n  key: sk-octopus-0123456789abcdef\n  groups:\n  - '*'\n  - g", `line 6: api_keys["k"].groups[1]: there is no group "g"`},
		{"two API keys with one key", "api_keys:\n- name: k\n  key: sk-octopus-0123456789abcdef\n- name: l\n  key: sk-octopus-0123456789abcdef", `line 5: api_keys["l"].key: is the same as that of api_keys["k"]`},
		{"a price", "prices:\n- model: m\n  input: 1\n  channel: a", `line 4: prices["m", "a"].channel: there is no channel "a"`},
		{"a price of nothing", "prices:\n- model: n", `line 2: prices["n"]: must give input, output, cache_read or cache_write`},
		{"settings", "settings:\n  response_store:\n    ttl: -1s", `line 3: settings.response_store.ttl: must not be negative`},
	} {
		t.Run(c.name, func(t *testing.T) { checkApplyError(t, Empty(), c.text, c.want) })
	}
}
