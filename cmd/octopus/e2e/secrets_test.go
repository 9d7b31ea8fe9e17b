package e2e

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"octopus/gateway/gatewaytest"
)

func TestNoSecretIsWrittenAnywhere(t *testing.T) {
	const (
		first     = "sk-upstream-SECRET-first-0123456789"
		spare     = "sk-upstream-SECRET-spare-0123456789"
		header    = "header-SECRET-value-0123456789"
		user      = "proxyuser"
		password  = "proxy-SECRET-password-0123456789"
		settings  = "settings-SECRET-password-0123456789"
		client    = "sk-octopus-SECRET-client-0123456789abcdef"
		wrong     = "sk-octopus-SECRET-wrong-0123456789abcdef"
		prompt    = "PROMPT-SECRET-text-0123456789"
		secretKey = "0123456789abcdef0123456789abcdef"
	)
	provider := startProvider(t)
	d := newDurable(t, t.TempDir(), 20*time.Millisecond)
	d.key = []byte(secretKey)
	d.file = "channels:\n" +
		channelOf("north", provider, first, header) + channelOf("south", provider, spare, header) +
		"    proxy: http://" + user + ":" + password + "@127.0.0.1:1\n" +
		"groups:\n" + group("octo-1", "aliases: [octo]", "{channel: north, model: m}") +
		"api_keys:\n  - {name: e2e, key: " + client + `, groups: ["*"], channels: ["*"]}` + "\n" +
		"settings: {stats_save_interval: 20ms}\n"
	g := d.start(t, "--logging-level=debug")
	asked := 0
	for _, model := range []string{
		"octo", "south/m", "north/m!status=401", "north/m!status=500", "north/m!reset", "north/m!html", "north/m!cut=1", "no-such-model", "south/m!status=400",
	} {
		for i := range protocols {
			p := &protocols[i]
			for _, key := range []string{client, wrong} {
				for _, stream := range []bool{false, true} {
					body := strings.Replace(p.body(model, stream), "Hello", prompt, 1)
					// The answer is whatever it is: what it leaves behind counts.
					_ = g.do(t.Context(), "POST", p.path, body, "Authorization: Bearer "+key)
					_ = g.do(t.Context(), "POST", p.path, "{"+body, "X-Api-Key: "+key)
					asked += 2
				}
			}
		}
	}
	if len(provider.Requests()) == 0 {
		t.Fatal("no request reached the provider")
	}
	metrics := read(http.Get("http://" + g.admin + "/metrics"))
	g.terminate(t, patience)
	// The second time every request meets a proxy that is not there.
	d.file = strings.Replace(d.file, "20ms}", "20ms, proxy: \"http://"+user+":"+settings+"@127.0.0.1:1\"}", 1)
	second := d.start(t, "--logging-level=debug")
	_ = second.do(t.Context(), "POST", protocols[0].path, protocols[0].body("north/m", false), "Authorization: Bearer "+client)
	second.terminate(t, patience)

	secrets := map[string]string{
		"a key": first, "another key": spare, "a header's value": header, "a proxy's password": password, "the proxy's of the settings": settings,
		"an API key": client, "an unknown API key": wrong, "a prompt": prompt, "the secret key": secretKey,
	}
	search := func(where, text string) {
		t.Helper()
		for name, secret := range secrets {
			for _, form := range []string{
				secret, base64.StdEncoding.EncodeToString([]byte(secret)), hex.EncodeToString([]byte(secret)),
				// Part of it is enough: the distinct middle that every secret has, but for the last digits that may be shown.
				secret[:len(secret)-8],
			} {
				if strings.Contains(text, form) {
					t.Errorf("%s holds %s", where, name)
				}
			}
		}
	}
	search("the log", g.log.all())
	search("the second log", second.log.all())
	search("the metrics", metrics.body)
	files := 0
	err := filepath.WalkDir(d.database, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		search(filepath.Base(path), string(text))
		files++
		return err
	})
	if err != nil || files < 4 {
		t.Errorf("%d files were searched, %v", files, err)
	}
	// They were searched where they would be: in rows that were written.
	s := d.open(t)
	defer s.Close()
	b := newBook()
	b.read(t, s)
	if b.total() < asked/2 {
		t.Errorf("%d rows of %d requests", b.total(), asked)
	}
}

// channelOf returns the entry of a channel with a key and a header.
func channelOf(name string, p *gatewaytest.Provider, key, header string) string {
	return fmt.Sprintf(`  - name: %s
    type: openai-chat
    base_url: %s
    keys: [%s]
    headers: {x-team: %q}
`, name, p.URL(), key, header)
}
