package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestSecretsDoNotPrint(t *testing.T) {
	const secret = "sk-very-secret"
	channel := Channel{
		Keys:    []Key{{ID: "key000000001", Secret: secret}},
		Headers: []Header{{Name: "X-A", Value: secret}},
		Proxy:   secret,
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "secret", channel.Proxy, "channel", channel)
	asJSON, err := json.Marshal(channel)
	if err != nil {
		t.Fatal(err)
	}
	for form, text := range map[string]string{
		"%v":   fmt.Sprintf("%v", channel),
		"%+v":  fmt.Sprintf("%+v", channel),
		"%#v":  fmt.Sprintf("%#v", channel),
		"%q":   fmt.Sprintf("%q", channel.Proxy),
		"%x":   fmt.Sprintf("%x", channel.Proxy),
		"slog": log.String(),
		"JSON": string(asJSON),
	} {
		if strings.Contains(text, secret) || strings.Contains(text, fmt.Sprintf("%x", secret)) {
			t.Errorf("%s shows the secret: %s", form, text)
		}
	}
	if channel.Proxy.Reveal() != secret {
		t.Errorf("Reveal gives %q, want the secret", channel.Proxy.Reveal())
	}
	if got := Secret("").String(); got != "" {
		t.Errorf("the empty secret prints %q, want nothing", got)
	}
}

func TestEmptyIsValid(t *testing.T) {
	if err := Empty().Validate(); err != nil {
		t.Error(err)
	}
}
