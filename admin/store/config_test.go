package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"octopus/gateway/config"
)

// filled returns a configuration in which no field of any object has its zero value, so that none can be forgotten.
func filled() *config.Config {
	c := new(config.Config)
	next := 0
	fill(reflect.ValueOf(c).Elem(), &next)
	return c
}

// fill gives v, and all in it, values that are different each time.
func fill(v reflect.Value, next *int) {
	*next++
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(time.Unix(int64(*next), 5).UTC()))
		return
	case netip.Prefix:
		v.Set(reflect.ValueOf(netip.MustParsePrefix("10.0.0.0/8")))
		return
	case json.RawMessage:
		v.Set(reflect.ValueOf(json.RawMessage("{ \"spaced\" :  1.0}")))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), next)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(v.Index(i), next)
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), next)
		}
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key, next)
		fill(value, next)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), next)
	case reflect.String:
		if v.Type() == reflect.TypeFor[config.Secret]() {
			v.SetString("SECRET-" + strings.Repeat("s", *next%50))
			return
		}
		v.SetString(strings.Repeat("t", *next%50+1) + string(rune('a'+*next%26)))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(*next % 100))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(*next % 100))
	default:
		panic("a configuration has a field of kind " + v.Kind().String())
	}
}

// withIDs gives the objects ids of their own.
func withIDs(c *config.Config) *config.Config {
	for i := range c.Channels {
		c.Channels[i].ID = config.NewID()
		for j := range c.Channels[i].Keys {
			c.Channels[i].Keys[j].ID = config.NewID()
		}
		for j := range c.Channels[i].Headers {
			c.Channels[i].Headers[j].Name = config.NewID()
		}
	}
	for i := range c.Groups {
		c.Groups[i].ID = config.NewID()
	}
	for i := range c.APIKeys {
		c.APIKeys[i].ID = config.NewID()
	}
	for i := range c.Prices {
		c.Prices[i].ID = config.NewID()
	}
	return c
}

func loaded(t *testing.T, s *Store) *config.Config {
	t.Helper()
	c, err := s.LoadConfig()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestANewDatabaseHasTheEmptyConfiguration(t *testing.T) {
	if got := loaded(t, open(t, Options{Path: filepath.Join(t.TempDir(), "db")})); !reflect.DeepEqual(got, config.Empty()) {
		t.Errorf("got %+v", got)
	}
}

func TestAConfigurationSurvivesARestartInFull(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	s := open(t, Options{Path: path})
	want := withIDs(filled())
	if err := s.SaveConfig(want); err != nil {
		t.Fatal(err)
	}
	changed := *want
	changed.Revision++
	changed.Channels = []config.Channel{want.Channels[1], want.Channels[0]}
	changed.Groups = want.Groups[:1]
	changed.Prices = nil
	changed.Settings.RelayHeaders = false
	for i, c := range []*config.Config{want, &changed} {
		if err := s.SaveConfig(c); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = open(t, Options{Path: path})
		if got := loaded(t, s); !reflect.DeepEqual(got, c) {
			t.Fatalf("configuration %d: got\n%+v\nwant\n%+v", i, got, c)
		}
	}
	n := 0
	if err := s.Scan(spaceConfig.Range(), func([]byte, []byte) bool { n++; return true }); err != nil || n != 2+2+1+2 {
		t.Errorf("%d records are left, want those of 2 channels, 1 group, 2 API keys, the settings and the head", n)
	}
}

func TestOnlyWhatChangedIsWritten(t *testing.T) {
	s := open(t, Options{Path: filepath.Join(t.TempDir(), "db")})
	c := withIDs(filled())
	if err := s.SaveConfig(c); err != nil {
		t.Fatal(err)
	}
	values := func() map[string]string {
		all := make(map[string]string)
		if err := s.Scan(spaceConfig.Range(), func(k, v []byte) bool { all[string(k)] = string(v); return true }); err != nil {
			t.Fatal(err)
		}
		return all
	}
	before := values()
	next := *c
	next.Revision++
	next.Channels = append([]config.Channel{}, c.Channels...)
	next.Channels[1].Name = "renamed"
	if err := s.SaveConfig(&next); err != nil {
		t.Fatal(err)
	}
	for key, value := range values() {
		// A seal is new each time, so a record that was written again differs.
		written := value != before[key]
		if want := key == "chead/" || key == "cchannel/"+next.Channels[1].ID; written != want {
			t.Errorf("%s was written: %t", key, written)
		}
	}
}

func TestNoSecretIsOnDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	s := open(t, Options{Path: path})
	if err := s.SaveConfig(withIDs(filled())); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(path, "*"))
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(text, []byte("SECRET-")) {
			t.Errorf("%s holds a secret", filepath.Base(file))
		}
	}
}

func TestASealOpensAtItsPlaceOnly(t *testing.T) {
	s := open(t, Options{Path: filepath.Join(t.TempDir(), "db")})
	c := withIDs(filled())
	if err := s.SaveConfig(c); err != nil {
		t.Fatal(err)
	}
	from, to := spaceConfig.Key(nil, kindChannel, c.Channels[0].ID), spaceConfig.Key(nil, kindChannel, c.Channels[1].ID)
	text, _, err := s.Get(nil, from)
	if err != nil {
		t.Fatal(err)
	}
	set(t, s, string(to), strings.ReplaceAll(string(text), c.Channels[0].ID, c.Channels[1].ID))
	if _, err := s.LoadConfig(); err == nil || !strings.Contains(err.Error(), "sealed with another secret key") {
		t.Errorf("a channel's sealed keys under another channel: %v", err)
	}
}

func TestDocumentsAreKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	s := open(t, Options{Path: path})
	if d, tag, err := s.KeptDocument("prices"); d != nil || tag != "" || err != nil {
		t.Errorf("before: %q, %q, %v", d, tag, err)
	}
	if err := s.KeepDocument("prices", []byte("{}"), `"v1"`); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if d, tag, err := open(t, Options{Path: path}).KeptDocument("prices"); string(d) != "{}" || tag != `"v1"` || err != nil {
		t.Errorf("after: %q, %q, %v", d, tag, err)
	}
}

func TestAConfigurationThatTheDiskWouldNotTakeIsRefused(t *testing.T) {
	faulty := &faultyFS{FS: vfs.NewMem()}
	s := open(t, Options{Path: "db", fs: faulty})
	c := withIDs(filled())
	if err := s.SaveConfig(c); err != nil {
		t.Fatal(err)
	}
	next := *c
	next.Revision++
	faulty.set(syscall.ENOSPC)
	if err := s.SaveConfig(&next); !errors.Is(err, syscall.ENOSPC) || strings.Contains(err.Error(), "\n") {
		t.Errorf("on a full disk: %v", err)
	}
	if got := loaded(t, s); got.Revision != c.Revision {
		t.Errorf("revision %d is saved, want %d", got.Revision, c.Revision)
	}
	faulty.set(nil)
	if err := s.SaveConfig(&next); err != nil || loaded(t, s).Revision != next.Revision {
		t.Errorf("afterwards: %v", err)
	}
}
