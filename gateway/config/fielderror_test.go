package config

import (
	"errors"
	"strconv"
	"strings"
	"testing"
)

func TestFieldErrorText(t *testing.T) {
	for _, c := range []struct {
		err  FieldError
		want string
	}{
		{FieldError{Path: "settings.proxy", Line: 3, Message: "must be given"}, "line 3: settings.proxy: must be given"},
		{FieldError{Path: "settings.proxy", Message: "must be given"}, "settings.proxy: must be given"},
		{FieldError{Line: 3, Message: "is not YAML"}, "line 3: is not YAML"},
		{FieldError{Message: "is too large"}, "is too large"},
	} {
		if got := c.err.Error(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestManyFieldErrors(t *testing.T) {
	var all FieldErrors
	if err := all.orNil(); err != nil {
		t.Errorf("no errors are %v, want nil", err)
	}
	for i := range 1000 {
		all.add("a"+strconv.Itoa(i), 1000-i, "is wrong")
	}
	if len(all) != maxFieldErrors {
		t.Errorf("%d errors kept, want %d", len(all), maxFieldErrors)
	}
	text := all.sorted().Error()
	if !strings.HasPrefix(text, "line 901: a99: is wrong; line 902: a98: is wrong; ") || !strings.HasSuffix(text, "line 910: a90: is wrong; and 90 more") {
		t.Errorf("text %q", text)
	}
	var first *FieldError
	if !errors.As(all.orNil(), &first) || first.Line != 901 {
		t.Errorf("first error %v, want line 901", first)
	}
}
