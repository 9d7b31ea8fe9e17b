package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"octopus/gateway/config"
)

// The kinds of objects in spaceConfig, which are parts of their keys.
const (
	kindHead     = "head"
	kindSettings = "settings"
	kindChannel  = "channel"
	kindGroup    = "group"
	kindAPIKey   = "api_key"
	kindPrice    = "price"
)

// head is what ties the objects of a configuration together: their ids in order.
type head struct {
	Revision uint64
	FileHash string
	Channels []string
	Groups   []string
	APIKeys  []string
	Prices   []string
}

// Objects are stored as JSON with the names of Go's fields, whose meaning package config documents. Fields that hold secrets
// are replaced by boxes; the field of the outer struct hides that of the inner one (package encoding/json).
type (
	storedChannel struct {
		config.Channel
		Keys    []storedKey
		Headers []storedHeader
		Proxy   []byte
		// Params is kept byte by byte, which json.RawMessage is not.
		Params []byte
	}
	storedKey struct {
		config.Key
		Secret []byte
	}
	storedHeader struct {
		config.Header
		Value []byte
	}
	storedSettings struct {
		config.Settings
		Proxy []byte
	}
)

// savedConfig is a configuration in the database, nil when none is there yet.
type savedConfig struct{ config *config.Config }

// LoadConfig returns the configuration of the database, config.Empty of a new one.
func (s *Store) LoadConfig() (*config.Config, error) {
	s.saving.Lock()
	defer s.saving.Unlock()
	c := config.Empty()
	var h head
	switch ok, err := s.read(kindHead, "", &h); {
	case err != nil:
		return nil, err
	case !ok:
		return c, nil
	}
	c.Revision, c.FileHash = h.Revision, h.FileHash
	var settings storedSettings
	// What a newer version added has its default, not the zero value.
	settings.Settings = c.Settings
	err := errors.Join(
		s.mustRead(kindSettings, "", &settings),
		load(s, kindChannel, h.Channels, &c.Channels, s.openChannel),
		load(s, kindGroup, h.Groups, &c.Groups, same[config.Group]),
		load(s, kindAPIKey, h.APIKeys, &c.APIKeys, same[config.APIKey]),
		load(s, kindPrice, h.Prices, &c.Prices, same[config.Price]),
	)
	if err != nil {
		return nil, err
	}
	c.Settings = settings.Settings
	if c.Settings.Proxy, err = s.openSecret(place(kindSettings, "", "proxy"), settings.Proxy); err != nil {
		return nil, err
	}
	s.saved.config = c
	return c, nil
}

// same is for objects that are stored as they are.
func same[T any](stored T) (T, error) { return stored, nil }

// load reads the objects of a kind.
func load[Stored, T any](s *Store, kind string, ids []string, into *[]T, open func(Stored) (T, error)) error {
	for _, id := range ids {
		var stored Stored
		if err := s.mustRead(kind, id, &stored); err != nil {
			return err
		}
		item, err := open(stored)
		if err != nil {
			return err
		}
		*into = append(*into, item)
	}
	return nil
}

// read reads one object. It returns false when there is none.
func (s *Store) read(kind, id string, into any) (bool, error) {
	text, ok, err := s.Get(nil, spaceConfig.Key(nil, kind, id))
	if err != nil || !ok {
		return false, err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return false, fmt.Errorf("store: configuration: %s %s: %w", kind, id, err)
	}
	return true, nil
}

func (s *Store) mustRead(kind, id string, into any) error {
	ok, err := s.read(kind, id, into)
	if err == nil && !ok {
		return fmt.Errorf("store: configuration: %s %s is missing", kind, id)
	}
	return err
}

// probeSize is how many bytes a disk must take beside what is saved before a configuration is.
const probeSize = 64 << 10

// SaveConfig makes c the configuration of the database: one batch, on disk when it returns. c must not be changed
// afterwards. Only what differs from the last LoadConfig or SaveConfig is written. A full or read-only disk is an error and
// changes nothing: whoever saves is there to be told, and waits for nothing.
func (s *Store) SaveConfig(c *config.Config) error {
	s.saving.Lock()
	defer s.saving.Unlock()
	old := s.saved.config
	if old == nil {
		old = new(config.Config)
	}
	b := s.NewBatch()
	w := configWriter{store: s, batch: b}
	h := head{Revision: c.Revision, FileHash: c.FileHash}
	h.Channels = save(&w, kindChannel, old.Channels, c.Channels, channelID, s.sealChannel)
	h.Groups = save(&w, kindGroup, old.Groups, c.Groups, func(g config.Group) string { return g.ID }, same[config.Group])
	h.APIKeys = save(&w, kindAPIKey, old.APIKeys, c.APIKeys, func(k config.APIKey) string { return k.ID }, same[config.APIKey])
	h.Prices = save(&w, kindPrice, old.Prices, c.Prices, func(p config.Price) string { return p.ID }, same[config.Price])
	if s.saved.config == nil || !reflect.DeepEqual(old.Settings, c.Settings) {
		w.put(kindSettings, "", storedSettings{
			Settings: c.Settings, Proxy: s.sealSecret(place(kindSettings, "", "proxy"), c.Settings.Proxy),
		})
	}
	w.put(kindHead, "", h)
	if w.err == nil {
		w.err = s.takes(b.Len() + probeSize)
	}
	if w.err != nil {
		b.Discard()
		return w.err
	}
	if err := s.Commit(b); err != nil {
		return err
	}
	s.saved.config = c
	return nil
}

// takes returns why the disk would not take so many bytes now.
func (s *Store) takes(size int) error {
	if err := s.disk.probe(s.disk.PathJoin(s.path, "probe"), size); err != nil {
		return fmt.Errorf("store: the disk takes no writes: %w", err)
	}
	return nil
}

func channelID(c config.Channel) string { return c.ID }

// configWriter puts objects into a batch, until the first error.
type configWriter struct {
	store *Store
	batch *Batch
	err   error
}

func (w *configWriter) put(kind, id string, object any) {
	text, err := json.Marshal(object)
	if err != nil {
		w.err = errors.Join(w.err, fmt.Errorf("store: configuration: %s %s: %w", kind, id, err))
		return
	}
	w.batch.Set(spaceConfig.Key(nil, kind, id), text)
}

// save writes the objects of a kind that changed, deletes those that are gone, and returns the ids in order.
func save[T, Stored any](w *configWriter, kind string, old, items []T, id func(T) string, seal func(T) (Stored, error)) []string {
	before := make(map[string]T, len(old))
	for _, item := range old {
		before[id(item)] = item
	}
	ids := make([]string, len(items))
	for i, item := range items {
		ids[i] = id(item)
		if was, ok := before[ids[i]]; !ok || !reflect.DeepEqual(was, item) {
			stored, err := seal(item)
			w.err = errors.Join(w.err, err)
			w.put(kind, ids[i], stored)
		}
		delete(before, ids[i])
	}
	for gone := range before {
		w.batch.Delete(spaceConfig.Key(nil, kind, gone))
	}
	return ids
}

// place names a field of an object, for its seal.
func place(kind, id, field string) string { return kind + "/" + id + "/" + field }

// sealSecret returns the box of a secret, nothing of an empty one.
func (s *Store) sealSecret(place string, secret config.Secret) []byte {
	if secret == "" {
		return nil
	}
	return s.sealer.seal(place, secret.Reveal())
}

func (s *Store) openSecret(place string, box []byte) (config.Secret, error) {
	if len(box) == 0 {
		return "", nil
	}
	secret, err := s.sealer.open(place, box)
	if err != nil {
		return "", fmt.Errorf("store: configuration: %s: %w", place, err)
	}
	return config.Secret(secret), nil
}

// sealChannel returns the channel as it is stored.
func (s *Store) sealChannel(c config.Channel) (storedChannel, error) {
	stored := storedChannel{Channel: c, Proxy: s.sealSecret(place(kindChannel, c.ID, "proxy"), c.Proxy), Params: c.Params}
	for _, k := range c.Keys {
		box := s.sealSecret(place(kindChannel, c.ID, "key/"+k.ID), k.Secret)
		stored.Keys = append(stored.Keys, storedKey{Key: k, Secret: box})
	}
	for _, h := range c.Headers {
		box := s.sealSecret(place(kindChannel, c.ID, "header/"+h.Name), h.Value)
		stored.Headers = append(stored.Headers, storedHeader{Header: h, Value: box})
	}
	return stored, nil
}

// openChannel is the inverse of sealChannel.
func (s *Store) openChannel(stored storedChannel) (config.Channel, error) {
	c := stored.Channel
	var err error
	if c.Proxy, err = s.openSecret(place(kindChannel, c.ID, "proxy"), stored.Proxy); err != nil {
		return c, err
	}
	c.Params, c.Keys, c.Headers = stored.Params, nil, nil
	for _, k := range stored.Keys {
		if k.Key.Secret, err = s.openSecret(place(kindChannel, c.ID, "key/"+k.ID), k.Secret); err != nil {
			return c, err
		}
		c.Keys = append(c.Keys, k.Key)
	}
	for _, h := range stored.Headers {
		if h.Header.Value, err = s.openSecret(place(kindChannel, c.ID, "header/"+h.Name), h.Value); err != nil {
			return c, err
		}
		c.Headers = append(c.Headers, h.Header)
	}
	return c, nil
}
