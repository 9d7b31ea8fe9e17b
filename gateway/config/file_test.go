package config

import (
	"encoding/json"
	"errors"
	"net/netip"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"octopus/codec/llm"
)

// variables is the lookup of the tests.
func variables(name string) (string, bool) {
	value, set := map[string]string{
		"OPENAI_SPARE": "sk-spare",
		"RPM":          "60",
		"YES":          "true",
		"COMMA":        "a, b: [c]",
		"EMPTY":        "",
	}[name]
	return value, set
}

// mustParse reads a file that has no errors.
func mustParse(t *testing.T, text string) *File {
	t.Helper()
	f, err := ParseFile([]byte(text), variables)
	if err != nil {
		t.Fatalf("ParseFile: %v", err)
	}
	return f
}

// mustApply applies a file that has no errors to current.
func mustApply(t *testing.T, current *Config, text string) *Config {
	t.Helper()
	next, _, err := mustParse(t, text).Apply(current)
	if err != nil {
		t.Fatalf("Apply: %v", err)
	}
	return next
}

// withoutIDs returns a copy of c without what is random, after checking that it is there.
func withoutIDs(t *testing.T, c *Config) *Config {
	t.Helper()
	clear := func(id *string) {
		if !isID(*id) {
			t.Errorf("id %q, want 12 letters or digits", *id)
		}
		*id = ""
	}
	clone := *c
	clone.FileHash = ""
	clone.Channels, clone.Groups = slices.Clone(c.Channels), slices.Clone(c.Groups)
	clone.APIKeys, clone.Prices = slices.Clone(c.APIKeys), slices.Clone(c.Prices)
	for i := range clone.Channels {
		clear(&clone.Channels[i].ID)
		clone.Channels[i].Keys = slices.Clone(clone.Channels[i].Keys)
		for j := range clone.Channels[i].Keys {
			clear(&clone.Channels[i].Keys[j].ID)
		}
	}
	for i := range clone.Groups {
		clear(&clone.Groups[i].ID)
	}
	for i := range clone.APIKeys {
		clear(&clone.APIKeys[i].ID)
	}
	for i := range clone.Prices {
		clear(&clone.Prices[i].ID)
	}
	return &clone
}

func TestFileWithEveryField(t *testing.T) {
	byFile := Object{Revision: 1, Managed: ManagedByFile}
	want := &Config{
		Revision: 1,
		Channels: []Channel{{
			Object: byFile,
			Name:   "openai-main",
			Endpoints: []Endpoint{
				{Protocol: llm.Chat, BaseURL: "https://api.openai.com/v1?api-version=1"},
				{Protocol: llm.Responses, BaseURL: "https://api.openai.com/v1"},
			},
			Auth:            AuthAPIKey,
			Keys:            []Key{{Secret: "sk-aaa", Weight: 1}, {Name: "spare", Secret: "sk-spare", Weight: 3}},
			Models:          []string{"gpt-5.4", "gpt-5.4-mini"},
			ModelSync:       ModelSync{Enabled: true, Include: "^gpt-"},
			Headers:         []Header{{Name: "Openai-Organization", Value: "org-1"}, {Name: "X-Team", Value: "blue"}},
			Params:          json.RawMessage(`{"service_tier":"flex","a_first":{"z":[1,2.50,true,null],"a":"<&>","n":12345678901234567890},"user":null}`),
			Convert:         strictConvert(),
			ClientGone:      ClientGoneDrain,
			Proxy:           "socks5://user:pass@127.0.0.1:1080",
			PriceMultiplier: 1_250_000,
			Limits:          Limits{Concurrency: 8, RPM: 60, TPM: 90000},
		}, {
			Object:          byFile,
			Name:            "local",
			Enabled:         true,
			Endpoints:       []Endpoint{{Protocol: llm.Messages, BaseURL: "http://127.0.0.1:11434"}},
			Auth:            AuthNone,
			Convert:         Convert{Options: llm.DefaultOptions(), UpstreamStream: UpstreamStreamClient},
			ClientGone:      ClientGoneCancel,
			PriceMultiplier: PriceMultiplierOne,
		}},
		Groups: []Group{{
			Object:   byFile,
			Name:     "gpt-5.4",
			Aliases:  []string{"gpt-5", "openai/gpt"},
			Mode:     ModeWeighted,
			Affinity: AffinityPromptCache,
			Members: []Member{
				{Channel: "openai-main", Model: "gpt-5.4", Weight: 0, Priority: 2},
				{Channel: "local", Model: "qwen:7b", Weight: 1, Priority: 1},
			},
			Match: "^gpt-5",
			Policy: Policy{
				Attempts:          5,
				AttemptsPerTarget: 3,
				Deadline:          time.Minute,
				ConnectTimeout:    2 * time.Second,
				AnswerTimeout:     90 * time.Second,
				IdleTimeout:       20 * time.Second,
				KeepAlive:         500 * time.Millisecond,
				RateLimitWait:     time.Second,
				Commit:            CommitComplete,
				Cooldown:          Cooldown{Base: time.Second, Max: 2 * time.Hour},
				Hedge:             Hedge{P95: true, MaxShare: 10},
			},
		}, {
			Object:   byFile,
			Name:     "plain",
			Enabled:  true,
			Mode:     ModeRoundRobin,
			Affinity: AffinityNone,
			Policy:   DefaultPolicy(),
		}},
		APIKeys: []APIKey{{
			Object:        byFile,
			Name:          "ci",
			SHA256:        HashAPIKey([]byte("sk-octopus-0123456789abcdef")),
			Last4:         "cdef",
			Groups:        []string{"*"},
			Channels:      []string{"local"},
			BudgetNanoUSD: 20_500_000_000,
			BudgetPeriod:  BudgetMonth,
			RPM:           600,
			TPM:           200000,
			Concurrency:   4,
			Unpriced:      UnpricedAllow,
			ExpiresAt:     time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC),
			AllowedIPs: []netip.Prefix{
				netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.7/32"), netip.MustParsePrefix("198.51.100.0/24"),
			},
		}, {
			Object:       byFile,
			Name:         "hashed",
			SHA256:       HashAPIKey([]byte("test")),
			Enabled:      true,
			Groups:       []string{"gpt-5.4"},
			BudgetPeriod: BudgetTotal,
			Unpriced:     UnpricedRefuse,
		}},
		Prices: []Price{
			{Object: byFile, Model: "my-model", Channel: "openai-main", Input: 1_250_000, Output: 10_000_000, CacheRead: 125_000, CacheWrite: 1_562_500},
			{Object: byFile, Model: "my-model", Input: NoPrice, Output: 1, CacheRead: NoPrice, CacheWrite: NoPrice},
		},
		Settings: Settings{
			LogBodies:              LogBodiesErrors,
			LogRetention:           24 * time.Hour,
			LogMaxSize:             1e9,
			StatsSaveInterval:      2 * time.Second,
			PriceSyncURL:           "https://example.org/p.json",
			ModelSyncInterval:      time.Hour,
			Proxy:                  "http://proxy.example.org:3128",
			CORSOrigins:            []string{"https://chat.example.org", "*"},
			ResponseModel:          ResponseModelRequested,
			MetricsAuth:            true,
			AllowMetadataAddresses: true,
			ResponseStore:          ResponseStore{TTL: time.Hour, MaxBytes: 1024},
		},
	}
	for _, name := range []string{"testdata/full.yaml", "testdata/full.json"} {
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			f := mustParse(t, string(text))
			got, changed, err := f.Apply(Empty())
			if err != nil || !changed {
				t.Fatalf("Apply: changed %v, error %v", changed, err)
			}
			if got.FileHash != f.Hash() {
				t.Errorf("file hash %q, want %q", got.FileHash, f.Hash())
			}
			if got := withoutIDs(t, got); !reflect.DeepEqual(got, want) {
				t.Errorf("got  %s\nwant %s", revealed(t, got), revealed(t, want))
			}
		})
	}
}

// revealed returns c with its secrets, for people who read a failing test.
func revealed(t *testing.T, c *Config) string {
	t.Helper()
	text, err := json.MarshalIndent(c, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	for _, channel := range c.Channels {
		for _, key := range channel.Keys {
			text = append(text, "\nkey "+key.Secret.Reveal()...)
		}
		for _, header := range channel.Headers {
			text = append(text, "\nheader "+header.Value.Reveal()...)
		}
	}
	return string(text)
}

func TestFilesWithoutContent(t *testing.T) {
	current := mustApply(t, Empty(), "channels: [{name: a, type: anthropic, base_url: 'https://a.example'}]")
	for name, text := range map[string]string{
		"nothing":        "",
		"only a comment": "# octopus\n",
		"only a mark":    "---\n",
		"empty mapping":  "{}",
		"empty settings": "settings: {}",
	} {
		t.Run(name, func(t *testing.T) {
			next, changed, err := mustParse(t, text).Apply(current)
			if err != nil || changed || next != current {
				t.Errorf("changed %v, error %v, same %v; want the current configuration", changed, err, next == current)
			}
		})
	}
}

// TestErrorsOfFiles has a line for every message that reading a file can end with.
func TestErrorsOfFiles(t *testing.T) {
	channel := func(field string) string {
		return "channels:\n  - name: a\n    type: anthropic\n    base_url: https://a.example\n    " + field
	}
	for _, c := range []struct{ name, text, want string }{
		{"too large", strings.Repeat("#", MaxFileSize+1), "the file is larger than 8 MiB"},
		{"not UTF-8", "channels: []\n# \xff", "line 2: is not UTF-8 text"},
		{"a control character", "\n\nchannels: \x00", "line 3: a control character stands here"},
		{"cut inside a flow list", "channels:\n  - {name: a, keys: [sk-a,\n", "line 3: did not find expected node content while parsing a flow node"},
		{"cut inside quotes", "channels:\n  - name: \"a\n", "line 3: found unexpected end of stream while scanning a quoted scalar that begins on line 2"},
		{"cut before a value", "channels:\n  - name: a\ngroups:\n", "line 3: groups: has no value; it must be a list; [] is the empty one"},
		{"cut inside JSON", "{\"channels\": [\n{\"name\": \"a\"", "line 3: did not find expected ',' or '}' while parsing a flow mapping that begins on line 2"},
		{"bad indentation", "channels:\n  - name: a\n   type: anthropic", "line 3: did not find expected '-' indicator while parsing a block collection that begins on line 2"},
		{"two documents", "channels: []\n---\nchannels: []", "line 2: a second document begins; the file must hold one"},
		{"a bad second document", "channels: []\n---\nchannels: [", "line 4: did not find expected node content while parsing a flow node"},
		{"an alias without anchor", "channels: *sk-secret", "line 1: an alias names no anchor before it; a text that begins with * needs quotes"},
		{"an alias in itself", "channels:\n- &a\n  name: *a", "line 3: an alias stands inside its own anchor"},
		{"too deep", strings.Repeat("[", 200), "line 1: exceeded max depth of 100 while increasing flow level"},
		{"a list at the top", "- a", "line 1: must be a mapping"},
		{"a text at the top", "octopus", "line 1: must be a mapping"},
		{"an unknown section", "channels: []\nchanels: []", `line 2: unknown field "chanels"; known are api_keys, channels, groups, prices, settings`},
		{"a section twice", "groups: []\nchannels: []\ngroups: []", `line 3: the field "groups" stands twice, the first time on line 1`},
		{"a field twice", channel("type: anthropic"), `line 5: channels["a"]: the field "type" stands twice, the first time on line 3`},
		{"an unknown field", channel("bas_url: x"), `line 5: channels["a"]: unknown field "bas_url"; known are auth, base_url, client_gone, convert, enabled, endpoints, headers, keys, limits, model_sync, models, name, params, price_multiplier, proxy, type`},
		{"a key as a field", channel("keys: [{sk-secret, name: b}]"), `line 5: channels["a"].keys[0]: unknown field; known are key, name, weight`},
		{"a merge key", channel("<<: {auth: none}"), `line 5: channels["a"]: merge keys (<<) are not supported; an alias can stand for a whole value`},
		{"a list as a field", channel("? [b]\n    : c"), `line 5: channels["a"]: the name of a field must be a text`},
		{"a mapping for a section", "channels: {a: b}", "line 1: channels: must be a list; [] is the empty one"},
		{"a text for an object", "channels: [a]", "line 1: channels[0]: must be a mapping"},
		{"an object without name", "channels:\n- type: anthropic", "line 2: channels[0].name: must be given"},
		{"an object with an empty name", "groups:\n- mode: random\n  name: ''", "line 3: groups[0].name: must be given"},
		{"an object with a number for a name", "groups:\n- mode: random\n  name: 5", "line 3: groups[0].name: must be a text; put it in quotes"},
		{"an object with a long name", "groups: [{name: " + strings.Repeat("n", 257) + "}]", "line 1: groups[0].name: must have at most 256 bytes"},
		{"a price without model", "prices:\n- input: 1", "line 2: prices[0].model: must be given"},
		{"a name twice", "groups:\n- name: a\n- name: a", `line 3: groups["a"]: stands twice, the first time on line 2`},
		{"a price twice", "prices:\n- {model: a, channel: b, input: 1}\n- {model: a, input: 1}\n- {channel: b, model: a, input: 2}", `line 4: prices["a", "b"]: stands twice, the first time on line 2`},
		{"no value", channel("auth:"), `line 5: channels["a"].auth: has no value; it must be a text`},
		{"a number for a text", channel("auth: 5"), `line 5: channels["a"].auth: must be a text; put it in quotes`},
		{"a time for a text", channel("auth: 2027-01-01"), `line 5: channels["a"].auth: must be a text; put it in quotes`},
		{"a list for a text", channel("auth: [none]"), `line 5: channels["a"].auth: must be a text`},
		{"a foreign tag", channel("auth: !secret none"), `line 5: channels["a"].auth: must be a text`},
		{"a text for a list", channel("keys: sk-secret"), `line 5: channels["a"].keys: must be a list; [] is the empty one`},
		{"a text for yes or no", channel("enabled: yes"), `line 5: channels["a"].enabled: must be true or false`},
		{"a quoted yes or no", channel(`enabled: "true"`), `line 5: channels["a"].enabled: must be true or false`},
		{"a variable that is no yes or no", channel("enabled: ${RPM}"), `line 5: channels["a"].enabled: must be true or false`},
		{"a fraction for a whole number", channel("limits: {rpm: 1.5}"), `line 5: channels["a"].limits.rpm: must be a whole number`},
		{"a quoted whole number", channel("limits:\n      rpm: '1'"), `line 6: channels["a"].limits.rpm: must be a whole number`},
		{"an octal number", channel("limits: {rpm: 017}"), `line 5: channels["a"].limits.rpm: must be a whole number, in decimal digits`},
		{"a number with underscores", channel("limits: {rpm: 1_000}"), `line 5: channels["a"].limits.rpm: must be a whole number, in decimal digits`},
		{"an endless number", channel("limits: {rpm: 99999999999999999999}"), `line 5: channels["a"].limits.rpm: must be a whole number`},
		{"a text for a decimal number", channel("price_multiplier: much"), `line 5: channels["a"].price_multiplier: must be a decimal number`},
		{"a hexadecimal number", channel("price_multiplier: 0x10"), `line 5: channels["a"].price_multiplier: must be a decimal number`},
		{"a negative decimal number", channel("price_multiplier: -1"), `line 5: channels["a"].price_multiplier: must not be negative`},
		{"too many places", "prices:\n- {model: a, input: 1.0000001}", `line 2: prices["a"].input: must have at most 6 decimal places`},
		{"too much money", "api_keys:\n- name: a\n  key: sk-octopus-0123456789abcdef\n  budget_usd: 1e10", `line 4: api_keys["a"].budget_usd: is too large`},
		{"a duration without unit", "settings:\n  log_retention: 10", "line 2: settings.log_retention: must be a duration with its unit such as 300ms, 10s or 24h"},
		{"a duration in days", "settings:\n  log_retention: 10d", "line 2: settings.log_retention: must be a duration with its unit such as 300ms, 10s or 24h"},
		{"a list for a duration", "settings:\n  log_retention: [10s]", "line 2: settings.log_retention: must be a duration with its unit such as 300ms, 10s or 24h"},
		{"a size without number", "settings: {log_max_size: GiB}", "line 1: settings.log_max_size: must be a size such as 256MiB or 10GiB"},
		{"a fraction for a size", "settings: {log_max_size: 1.5}", "line 1: settings.log_max_size: must be a size such as 256MiB or 10GiB"},
		{"an endless size", "settings: {log_max_size: 9999999999GiB}", "line 1: settings.log_max_size: is too large"},
		{"a bad hedge", "groups:\n- name: a\n  policy:\n    hedge: {after: soon}", `line 4: groups["a"].policy.hedge.after: must be none, p95 or a duration such as 2s`},
		{"a hedge with a list", "groups:\n- name: a\n  policy:\n    hedge: {after: []}", `line 4: groups["a"].policy.hedge.after: must be none, p95 or a duration such as 2s`},
		{"a date for a time", "api_keys:\n- name: a\n  key: sk-octopus-0123456789abcdef\n  expires_at: 2027-01-01", `line 4: api_keys["a"].expires_at: must be a time such as 2027-01-01T00:00:00Z`},
		{"a number for a time", "api_keys:\n- name: a\n  key: sk-octopus-0123456789abcdef\n  expires_at: 20270101", `line 4: api_keys["a"].expires_at: must be a time such as 2027-01-01T00:00:00Z`},
		{"a bad range", "api_keys:\n- name: a\n  key: sk-octopus-0123456789abcdef\n  allowed_ips:\n  - 10.0.0.0/33", `line 5: api_keys["a"].allowed_ips[0]: must be an address or a range such as 10.0.0.0/8`},
		{"an address with a zone", "api_keys:\n- name: a\n  key: sk-octopus-0123456789abcdef\n  allowed_ips: [fe80::1%eth0]", `line 4: api_keys["a"].allowed_ips[0]: must be an address or a range such as 10.0.0.0/8`},
		{"a number for a range", "api_keys:\n- name: a\n  key: sk-octopus-0123456789abcdef\n  allowed_ips: [10]", `line 4: api_keys["a"].allowed_ips[0]: must be an address or a range such as 10.0.0.0/8`},
		{"a short API key", "api_keys:\n- name: a\n  key: sk-octopus-0123456789ab", `line 3: api_keys["a"].key: must have at least 24 characters`},
		{"an API key with a space", "api_keys:\n- name: a\n  key: sk octopus 0123456789abcdef", `line 3: api_keys["a"].key: must be visible ASCII, without spaces or line breaks`},
		{"a number for an API key", "api_keys:\n- name: a\n  key: 123456789012345678901234", `line 3: api_keys["a"].key: must be a text; put it in quotes`},
		{"an empty API key", "api_keys:\n- name: a\n  key: ''", `line 3: api_keys["a"].key: must be given`},
		{"no API key", "api_keys:\n- name: a", `line 2: api_keys["a"]: must have either key or key_sha256`},
		{"two API keys", "api_keys:\n- name: a\n  key: sk-octopus-0123456789abcdef\n  key_sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", `line 2: api_keys["a"]: must have either key or key_sha256`},
		{"a short hash", "api_keys:\n- name: a\n  key_sha256: 9f86", `line 3: api_keys["a"].key_sha256: must be 64 hexadecimal digits`},
		{"a long hash", "api_keys:\n- name: a\n  key_sha256: " + strings.Repeat("a0", 33), `line 3: api_keys["a"].key_sha256: must be 64 hexadecimal digits`},
		{"an empty hash", "api_keys:\n- name: a\n  key_sha256: ''", `line 3: api_keys["a"].key_sha256: must be 64 hexadecimal digits`},
		{"a number for a hash", "api_keys:\n- name: a\n  key_sha256: 5", `line 3: api_keys["a"].key_sha256: must be a text; put it in quotes`},
		{"an unknown type", "channels:\n- name: a\n  type: openai", `line 3: channels["a"].type: must be openai-chat, openai-responses or anthropic`},
		{"a number for a type", "channels:\n- name: a\n  type: 1", `line 3: channels["a"].type: must be a text; put it in quotes`},
		{"a text for params", channel("params: x"), `line 5: channels["a"].params: must be a mapping`},
		{"a number that JSON lacks", channel("params:\n      a: {b: [0, .inf]}"), `line 6: channels["a"].params.a.b[1]: must be a number as JSON writes it, or a text in quotes`},
		{"a type that JSON lacks", channel("params: {a: !!binary aGk=}"), `line 5: channels["a"].params.a: must be a value that JSON has`},
		{"a param twice", channel("params: {a: 1, a: 2}"), `line 5: channels["a"].params: the field "a" stands twice, the first time on line 5`},
		{"a long name in params", channel("params: {" + strings.Repeat("a", 65) + ": !x y}"), `line 5: channels["a"].params: must be a value that JSON has`},
		{"a list for headers", channel("headers: [x]"), `line 5: channels["a"].headers: must be a mapping of names and values`},
		{"a number for a header", channel("headers: {X-Team: 5}"), `line 5: channels["a"].headers.X-Team: must be a text; put it in quotes`},
		{"a strange name", channel("headers: {\"x\\ny\": [5]}"), `line 5: channels["a"].headers: must be a text`},
		{"an unset variable", channel("keys: [{name: b,\n      key: '${NO_SUCH}'}]"), `line 6: channels["a"].keys[0].key: the variable NO_SUCH is not set`},
		{"an unset variable in params", channel("params: {a: '${NO_SUCH}'}"), `line 5: channels["a"].params.a: the variable NO_SUCH is not set`},
		{"an unset variable for a number", channel("limits: {rpm: '${NO_SUCH}'}"), `line 5: channels["a"].limits.rpm: the variable NO_SUCH is not set`},
		{"a bad variable", channel("auth: '${sk-secret}'"), `line 5: channels["a"].auth: "${" does not begin the name of a variable as in ${NAME}; write "$${" for the characters themselves`},
		{"several errors in the order of lines", "settings: {proxy: 5}\ngroups: 5\nchannels: 5",
			"line 1: settings.proxy: must be a text; put it in quotes; line 2: groups: must be a list; [] is the empty one; line 3: channels: must be a list; [] is the empty one"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ParseFile([]byte(c.text), variables)
			if err == nil || err.Error() != c.want {
				t.Fatalf("got  %v\nwant %s", err, c.want)
			}
			var bad FieldErrors
			if !errors.As(err, &bad) {
				t.Errorf("error is %T, want FieldErrors", err)
			}
		})
	}
}

func TestHashFollowsFileAndVariables(t *testing.T) {
	hash := func(text, spare string) string {
		f, err := ParseFile([]byte(text), func(string) (string, bool) { return spare, true })
		if err != nil {
			t.Fatal(err)
		}
		return f.Hash()
	}
	const text = "channels: [{name: a, type: anthropic, base_url: 'https://a.example', keys: ['${A}', '${B}']}]"
	first := hash(text, "x")
	if again := hash(text, "x"); again != first {
		t.Errorf("the same file has the hashes %s and %s", first, again)
	}
	if first == hash(text+"\n", "x") {
		t.Error("an edited file keeps its hash")
	}
	if first == hash(text, "y") {
		t.Error("a changed variable keeps the hash")
	}
}

// FuzzParseFile reads any bytes. A file that can be read either can't be applied, or gives a valid configuration that the
// same file does not change again.
func FuzzParseFile(f *testing.F) {
	for _, name := range []string{"testdata/full.yaml", "testdata/full.json"} {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte("channels: [&a {name: a, type: anthropic, base_url: 'https://a.example', params: {x: *a}}]"))
	f.Add([]byte("channels: [{name: a, type: anthropic, base_url: 'https://a.example', keys: ['${A}', {key: \"$${A}\"}]}]"))
	f.Add([]byte("api_keys: [{name: ci, key: '${A}${A}${A}${A}', groups: [a]}]\ngroups: [{name: a, policy: &p {hedge: {after: 1s}}}, {name: b, policy: *p}]"))
	f.Add([]byte("settings: {proxy: 'http://${A}'}\nprices: [{model: m, input: 0.25}]"))
	lookup := func(name string) (string, bool) { return name + ".example", len(name) < 4 }
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := ParseFile(data, lookup)
		if err != nil {
			checkErrors(t, data, err)
			return
		}
		next, changed, err := file.Apply(Empty())
		if err != nil {
			checkErrors(t, data, err)
			return
		}
		if err := next.Validate(); err != nil {
			t.Fatalf("applied, but not valid: %v", err)
		}
		next.WithoutEffect()
		if !changed {
			return
		}
		if again, changed, err := file.Apply(next); again != next || changed || err != nil {
			t.Fatalf("applied again: changed %v, error %v", changed, err)
		}
		next.FileHash = ""
		if again, changed, err := file.Apply(next); again != next || changed || err != nil {
			t.Fatalf("applied again without hash: changed %v, error %v", changed, err)
		}
	})
}

// FuzzSecretsStayHidden puts a secret with any end, as it is and as a variable, where secrets stand in a file. No error
// shows it.
func FuzzSecretsStayHidden(f *testing.F) {
	for _, end := range []string{"", " ", "\n", "]", ": x", "\x00", "\xff", "'", "${", "${B}", "#", "@a.example", "://", ", name: b}", "é"} {
		f.Add(end)
	}
	const mark = "Zq9"
	places := []string{
		"channels:\n- name: a\n  keys: [%s]",
		"channels:\n- name: a\n  keys: %s",
		"channels:\n- name: a\n  keys: {%s}",
		"channels:\n- name: a\n  type: anthropic\n  base_url: https://a.example\n  keys: [a, {key: %s}, {key: %s}]",
		"channels:\n- name: a\n  type: anthropic\n  base_url: https://a.example\n  keys: [{name: b, %s}]",
		"channels:\n- name: a\n  type: anthropic\n  base_url: https://a.example\n  headers: {X-A: %s, Host: %s}",
		"channels:\n- name: a\n  type: anthropic\n  base_url: https://user:%s@a.example/v1\n  proxy: ftp://user:%s@b.example",
		"channels:\n- name: a\n  type: anthropic\n  base_url: %s\n  proxy: %s",
		"api_keys:\n- name: a\n  key: %s",
		"api_keys:\n- {name: a, key: %s, groups: [b]}\n- {name: b, key: %s}",
		"api_keys:\n- {name: a, key: sk-octopus-0123456789abcdef, key_sha256: %s}\n- {name: b, %s}",
		"settings:\n  proxy: %s",
		"settings: {proxy: '%s', proxy: \"%s\"}",
	}
	f.Fuzz(func(t *testing.T, end string) {
		if strings.Contains(end, "Z") {
			t.Skip("the mark itself could stand where no secret belongs")
		}
		lookup := func(name string) (string, bool) { return mark + end, name == "SECRET" }
		for _, place := range places {
			for _, secret := range []string{mark + end, "'${SECRET}'", "${SECRET}"} {
				if secret == mark+end && strings.ContainsAny(end, `'"`) {
					continue // the quote could make the secret a part of a name
				}
				file, err := ParseFile([]byte(strings.ReplaceAll(place, "%s", secret)), lookup)
				if err == nil {
					_, _, err = file.Apply(Empty())
				}
				if err != nil && strings.Contains(err.Error(), mark) {
					t.Errorf("%q shows its secret: %v", place, err)
				}
			}
		}
	})
}

// checkErrors checks what holds for all errors of a file: each has a message, and a line that exists if any.
func checkErrors(t *testing.T, data []byte, err error) {
	t.Helper()
	var all FieldErrors
	if !errors.As(err, &all) || len(all) == 0 {
		t.Fatalf("error is %T, want FieldErrors", err)
	}
	// YAML ends lines at these, too: U+0085, U+2028 and U+2029.
	breaks := strings.Count(strings.NewReplacer("\u0085", "\n", "\u2028", "\n", "\u2029", "\n", "\r", "\n").Replace(string(data)), "\n")
	for _, field := range all {
		if field.Message == "" || field.Line < 0 || field.Line > breaks+2 {
			t.Errorf("error %+v in a file of %d lines", *field, breaks+1)
		}
	}
}

// strictConvert is what the full file's convert says.
func strictConvert() Convert {
	c := Convert{Options: llm.DefaultOptions(), UpstreamStream: UpstreamStreamAlways}
	c.Strict = true
	return c
}

func TestConvertOptions(t *testing.T) {
	c := mustApply(t, Empty(), `
channels:
  - name: a
    type: openai-chat
    base_url: https://a.example
    convert: {hosted_tools: reject, call_ids: mistral, code_execution: true, estimate_usage: true, stream_input_estimate: true, eof: lenient, mid_system: false, forward_unknown: [seed], max_tokens: 4096, max_tokens_field: max_tokens, family: kimi, fan_out: true, strip_reasoning: true}
`)
	want := llm.DefaultOptions()
	want.HostedTools, want.CallIDs, want.LenientEOF, want.MidSystem = llm.HostedReject, llm.CallIDsMistral, true, false
	want.CodeExecution, want.EstimateUsage, want.StreamInputEstimate = true, true, true
	want.ForwardUnknown, want.MaxTokens, want.MaxTokensField, want.Family = []string{"seed"}, 4096, "max_tokens", "kimi"
	want.FanOut, want.StripReasoning = true, true
	if got := c.Channels[0].Convert.Options; !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	for text, message := range map[string]string{
		"call_ids: long":        "must be native, short or mistral",
		"hosted_tools: never":   "must be auto, drop or reject",
		"eof: never":            "must be error or lenient",
		"max_tokens: -1":        "must not be negative",
		"max_tokens_field: max": "must be max_tokens or max_completion_tokens",
		"no_such_option: true":  `unknown field "no_such_option"`,
	} {
		file, err := ParseFile([]byte("channels: [{name: a, type: anthropic, base_url: \"https://a.example\", convert: {"+text+"}}]"), nil)
		if err == nil {
			_, _, err = file.Apply(Empty())
		}
		if err == nil || !strings.Contains(err.Error(), message) {
			t.Errorf("%s: got %v, want %q", text, err, message)
		}
	}
}
