package main

import (
	"encoding/json"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"octopus/gateway/gatewaytest"
)

// testKey is the API key of testConfig.
const testKey = "sk-octopus-test-0123456789"

// testConfig returns a declarative file with the channel "up" at the provider, which speaks all three protocols, and
// the group that is named.
func testConfig(provider, group string) string {
	return `channels:
  - name: up
    type: openai-chat
    base_url: ` + provider + `
    endpoints:
      - {type: openai-responses, base_url: "` + provider + `"}
      - {type: anthropic, base_url: "` + provider + `"}
    keys: [upstream-key]
groups:
  - name: ` + group + `
    members: [{channel: up, model: scripted}]
api_keys:
  - {name: test, key: ` + testKey + `, groups: ["*"], channels: ["*"]}
`
}

// startProvider runs the scripted provider until the test ends and returns the base URL for channels.
func startProvider(t *testing.T) string {
	t.Helper()
	provider, err := gatewaytest.Start(gatewaytest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(provider.Close)
	return provider.URL()
}

func TestBadStartIsOneLineAndExitCodeOne(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	used := portOf(t, taken.Addr().String())
	good := testConfig("http://127.0.0.1:9/v1", "m")

	for _, test := range []struct {
		name string
		args []string
		want string // part of the line
	}{
		{"unknown flag", []string{"--colour=blue"}, "--colour"},
		{"unknown command", nil, "unexpected argument strat"},
		{"bad port", []string{"--server-port=70000"}, "--server-port"},
		{"bad size", []string{"--max-body-size=lots"}, "--max-body-size"},
		{"negative number", []string{"--max-in-flight=-1"}, "--max-in-flight"},
		{"bad CIDR", []string{"--trusted-proxies=10.0.0.0/99"}, "--trusted-proxies"},
		{"bad level", []string{"--logging-level=loud"}, "--logging-level"},
		{"bad format", []string{"--logging-format=xml"}, "--logging-format"},
		{"bad time", []string{"--drain-timeout=soon"}, "--drain-timeout"},
		{"negative time", []string{"--drain-delay=-1s"}, "--drain-delay"},
		{"empty host", []string{"--admin-host="}, "--admin-host"},
		{"short token", []string{"--admin-token=0123456789abcde"}, "--admin-token"},
		{"a URL as admin host", []string{"--admin-hosts=https://octopus.example"}, "--admin-hosts"},
		{"certificate without key", []string{"--tls-cert=cert.pem"}, "--tls-key"},
		{"no such certificate", []string{"--tls-cert=/nowhere.pem", "--tls-key=/nowhere.pem"}, "/nowhere.pem"},
		{"no such file", []string{"--config=/nowhere.yaml"}, "/nowhere.yaml"},
		{"a folder as file", []string{"--config=/"}, "directory"},
		{"no YAML", []string{"--config=" + write(t, "bad.yaml", "channels:\n  - name: [\n")}, "bad.yaml:"},
		{"unknown field", []string{"--config=" + write(t, "odd.yaml", good+"    colour: blue\n")}, "odd.yaml:14: "},
		{"unset variable", []string{"--config=" + write(t, "var.yaml", strings.Replace(good, testKey, "${OCTOPUS_TEST_UNSET}", 1))}, "var.yaml:13: "},
		{"several bad values", []string{"--config=" + write(t, "two.yaml", strings.NewReplacer("http:", "ftp:", "model: scripted", "model: ''").Replace(good))}, "two.yaml:4: "},
		{"data port taken", []string{"--server-port=" + used}, "127.0.0.1:" + used},
		{"no such address", []string{"--server-host=192.0.2.1"}, "192.0.2.1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			command := "start"
			if test.args == nil {
				command = "strat"
			}
			env := []string{"OCTOPUS_SERVER_HOST=127.0.0.1", "OCTOPUS_SERVER_PORT=0", "OCTOPUS_ADMIN_PORT=0"}
			checkRefused(t, runToEnd(t, env, append([]string{command}, test.args...)...), test.want)
		})
	}
	t.Run("no command", func(t *testing.T) {
		checkRefused(t, runToEnd(t, nil), "start")
	})
	t.Run("bad variable", func(t *testing.T) {
		checkRefused(t, runToEnd(t, []string{"OCTOPUS_ADMIN_PORT=many"}, "start"), "OCTOPUS_ADMIN_PORT")
	})
	t.Run("admin port taken", func(t *testing.T) {
		free := closedPort(t)
		checkRefused(t, runToEnd(t, nil, "start", "--server-host=127.0.0.1", "--server-port="+free, "--admin-port="+used), used)
		if conn, err := net.Dial("tcp", "127.0.0.1:"+free); err == nil {
			conn.Close()
			t.Error("the data port is still open")
		}
	})
}

func TestHelp(t *testing.T) {
	got := runToEnd(t, nil, "start", "--help")
	if got.code != 0 || got.stderr != "" {
		t.Errorf("exit code %d and stderr %q, want 0 and none", got.code, got.stderr)
	}
	for _, want := range []string{"8080", "8081", "0.0.0.0", "127.0.0.1", "32MiB", "60s", "info", "text", "$OCTOPUS_SERVER_PORT"} {
		if !strings.Contains(got.stdout, want) {
			t.Errorf("help lacks %q:\n%s", want, got.stdout)
		}
	}
}

func TestReadyInTime(t *testing.T) {
	limit := 200 * time.Millisecond
	if underRaceDetector() {
		limit = 2 * time.Second // The detector alone takes most of that.
	}
	file := write(t, "octopus.yaml", testConfig("http://127.0.0.1:9/v1", "m"))
	// The best of a few: other tests keep the machine busy, and only the binary is on trial.
	best := time.Hour
	for range 5 {
		begun := time.Now()
		p := start(t, nil, "start", "--config="+file)
		if status, body := get("http://" + p.data + "/readyz"); status != 200 {
			t.Fatalf("/readyz: %d %s, want 200 as soon as the ports are logged", status, body)
		}
		best = min(best, time.Since(begun))
		_ = p.Process.Kill()
		<-p.exited
	}
	t.Logf("ready after %v", best)
	if best > limit {
		t.Errorf("ready after %v, want at most %v", best, limit)
	}
}

func TestStartWithoutFile(t *testing.T) {
	p := start(t, nil, "start")
	if log := p.log.all(); !strings.Contains(log, "level=WARN") || !strings.Contains(log, "--config") {
		t.Errorf("log lacks a warning that names --config:\n%s", log)
	}
	if status, body := get("http://" + p.data + "/readyz"); status != 200 {
		t.Errorf("/readyz: %d %s, want 200", status, body)
	}
	status, body := get("http://"+p.data+"/v1/models", "Authorization: Bearer "+testKey)
	if status != 401 {
		t.Errorf("/v1/models: %d %s, want 401: no key is known", status, body)
	}
	p.signal(syscall.SIGHUP)
	p.waitLog("nothing to reload", "")
	if status, body := get("http://" + p.data + "/readyz"); status != 200 {
		t.Errorf("/readyz after SIGHUP: %d %s, want 200", status, body)
	}
}

func TestPortsServeWhatIsTheirs(t *testing.T) {
	file := write(t, "octopus.yaml", testConfig(startProvider(t), "m"))
	p := start(t, nil, "start", "--config="+file)
	for _, test := range []struct {
		url    string
		status int
		part   string
	}{
		{p.data + "/healthz", 200, ""},
		{p.data + "/readyz", 200, ""},
		{p.data + "/metrics", 404, ""},
		{p.data + "/api/v1/session", 404, ""},
		{p.admin + "/healthz", 200, "alive"},
		{p.admin + "/readyz", 200, "ready"},
		{p.admin + "/metrics", 200, "octopus_in_flight"},
		{p.admin + "/v1/models", 404, "not_found"},
	} {
		status, body := get("http://"+test.url, "Authorization: Bearer "+testKey)
		if status != test.status || !strings.Contains(body, test.part) {
			t.Errorf("%s: %d %.300s, want %d and %q", test.url, status, body, test.status, test.part)
		}
	}
}

func TestRequestIsRelayed(t *testing.T) {
	file := write(t, "octopus.yaml", testConfig(startProvider(t), "m"))
	p := start(t, nil, "start", "--config="+file)
	for _, call := range calls("m", false) {
		status, body := call.do(t.Context(), p.data)
		if status != 200 || !strings.Contains(body, call.whole) {
			t.Errorf("%s: %d %.300s, want 200 and %q", call.path, status, body, call.whole)
		}
	}
	if _, metrics := get("http://" + p.admin + "/metrics"); !strings.Contains(metrics, "octopus_requests_total{") {
		t.Errorf("metrics lack octopus_requests_total:\n%.2000s", metrics)
	}
}

func TestBodyLimitIsTheFlags(t *testing.T) {
	file := write(t, "octopus.yaml", testConfig(startProvider(t), "m"))
	p := start(t, []string{"OCTOPUS_MAX_BODY_SIZE=4KiB"}, "start", "--config="+file)
	big := call{path: "/v1/chat/completions", body: `{"model":"m","messages":[{"role":"user","content":"` + strings.Repeat("x", 5000) + `"}]}`}
	if status, body := big.do(t.Context(), p.data); status != 413 {
		t.Errorf("5 KB with a limit of 4 KiB: %d %.300s, want 413", status, body)
	}
	small := call{path: "/v1/chat/completions", body: `{"model":"m","messages":[{"role":"user","content":"` + strings.Repeat("x", 3000) + `"}]}`}
	if status, body := small.do(t.Context(), p.data); status != 200 {
		t.Errorf("3 KB with a limit of 4 KiB: %d %.300s, want 200", status, body)
	}
}

func TestTrustedProxiesAreTheFlags(t *testing.T) {
	file := write(t, "octopus.yaml", strings.Replace(testConfig(startProvider(t), "m"),
		`channels: ["*"]}`, `channels: ["*"], allowed_ips: ["10.9.9.9"]}`, 1))
	for _, test := range []struct {
		flag string
		want int
	}{
		{"--trusted-proxies=127.0.0.0/8", 200},
		{"--trusted-proxies=10.0.0.0/8", 401},
	} {
		p := start(t, nil, "start", "--config="+file, test.flag)
		status, body := get("http://"+p.data+"/v1/models", "Authorization: Bearer "+testKey, "X-Forwarded-For: 10.9.9.9")
		if (status == 200) != (test.want == 200) {
			t.Errorf("%s: %d %s, want %d", test.flag, status, body, test.want)
		}
	}
}

func TestLogLinesAreJSONWhenAsked(t *testing.T) {
	p := start(t, nil, "start", "--logging-format=json", "--logging-level=info")
	for line := range strings.SplitSeq(p.log.all(), "\n") {
		var entry struct{ Level, Msg string }
		if err := json.Unmarshal([]byte(line), &entry); err != nil || entry.Level == "" || entry.Msg == "" {
			t.Errorf("log line %q: %v, want JSON with level and msg", line, err)
		}
	}
}

func TestLoggingLevel(t *testing.T) {
	// Nothing to wait for in the log: the ports are those of the flags.
	data, admin := closedPort(t), closedPort(t)
	var log strings.Builder
	command := octopus(nil, "start", "--server-host=127.0.0.1", "--server-port="+data, "--admin-port="+admin, "--logging-level=error")
	command.Dir = t.TempDir()
	command.Stderr = &log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "ready", func() bool {
		status, _ := get("http://127.0.0.1:" + data + "/readyz")
		return status == 200
	})
	_ = command.Process.Kill()
	_ = command.Wait() // It was killed; what it logged is the question.
	if log.Len() > 0 {
		t.Errorf("at level error a good start logs:\n%s", log.String())
	}
}
