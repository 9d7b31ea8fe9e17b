package gatewaytest

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"
)

func TestMembersAndElements(t *testing.T) {
	const object = ` { "a" : 1 , "b\"c":"x\\\"}",` + "\n" + `"d":{"e":[1,{"f":"]"}]} , "g":null,"h":[ ],"a":-1.5e3 } `
	var got []string
	for key, value := range members([]byte(object)) {
		got = append(got, string(key)+"="+string(value))
	}
	want := []string{"a=1", `b\"c="x\\\"}"`, `d={"e":[1,{"f":"]"}]}`, "g=null", "h=[ ]", "a=-1.5e3"}
	if !slices.Equal(got, want) {
		t.Errorf("members\n got %q\nwant %q", got, want)
	}
	if last := member([]byte(object), "a"); string(last) != "-1.5e3" {
		t.Errorf("member a = %s, want the last", last)
	}
	if absent := member([]byte(object), "g"); absent != nil {
		t.Errorf("member g = %s, want nil for null", absent)
	}
	got = nil
	for element := range elements([]byte(`[ 1 ,"a,]",[2,3], {"x":[]} ,true]`)) {
		got = append(got, string(element))
	}
	if want := []string{"1", `"a,]"`, "[2,3]", `{"x":[]}`, "true"}; !slices.Equal(got, want) {
		t.Errorf("elements\n got %q\nwant %q", got, want)
	}
	for _, wrong := range []string{"", "x", "1", `"a"`, "[1]", `{`, `{"a"}`, `{"a":}`, `{"a" 1}`, `{1:2}`} {
		for key, value := range members([]byte(wrong)) {
			t.Errorf("%s has member %s: %s", wrong, key, value)
		}
	}
}

func TestDecodedAndEscapedAreOpposites(t *testing.T) {
	for _, text := range []string{"", "plain", `"quoted" \ and /`, "\x00\x01\n\r\t\x1f", "äöü 你好 👩‍🚀", "<b>&amp;</b>", "\u2028"} {
		encoded := put(nil, quoted(text))
		var viaStandard string
		if err := json.Unmarshal(encoded, &viaStandard); err != nil || viaStandard != text {
			t.Errorf("%q is written %s, which reads %q, %v", text, encoded, viaStandard, err)
		}
		standard, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, spelled := range [][]byte{encoded, standard} {
			if got := string(appendDecoded(nil, spelled)); got != text {
				t.Errorf("%s is read %q, want %q", spelled, got, text)
			}
			if got := decodedLen(spelled); got != len(text) {
				t.Errorf("%s has %d bytes, want %d", spelled, got, len(text))
			}
		}
	}
	if got := string(put(nil, quoted("a\xffb"))); got != "\"a\uFFFDb\"" {
		t.Errorf("invalid UTF-8 is written %s", got)
	}
}

// FuzzScan compares the scanner with encoding/json on what is JSON, and lets it survive the rest.
func FuzzScan(f *testing.F) {
	for _, seed := range []string{`{"a":[1,"\"",{}],"b":null}`, `[[],{"x":-1e9}]`, `"\\"`, "{", `{"a":"\`, `[1,`, ` `} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		end := valueEnd(b, 0)
		if end > len(b) {
			t.Fatalf("the value ends at %d of %d", end, len(b))
		}
		found := map[string]string{}
		for key, value := range members(b) {
			var name string
			if json.Unmarshal(put(nil, `"`, key, `"`), &name) == nil {
				found[name] = string(value)
			}
		}
		var list []string
		for element := range elements(b) {
			list = append(list, string(element))
		}
		if !json.Valid(b) {
			return
		}
		if rest := bytes.TrimSpace(b[end:]); len(rest) > 0 {
			t.Errorf("%q is behind the end of the value", rest)
		}
		var object map[string]json.RawMessage
		if json.Unmarshal(b, &object) == nil && object != nil {
			if len(found) != len(object) {
				t.Errorf("members %q, want %q", found, object)
			}
			for key, value := range object {
				if found[key] != string(value) {
					t.Errorf("member %q is %s, want %s", key, found[key], value)
				}
			}
		}
		var array []json.RawMessage
		if json.Unmarshal(b, &array) == nil && len(array) != len(list) {
			t.Errorf("%d elements, want %d", len(list), len(array))
		}
	})
}
