package admin

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"path/filepath"

	"github.com/valyala/fasthttp"
)

// backup is the request and the answer of /backup: a directory on the server's disk.
type backup struct {
	Dir string `json:"dir"`
}

func backUp(s *Server, ctx *fasthttp.RequestCtx, _ query) (any, error) {
	var to backup
	if err := readBody(ctx.PostBody(), &to); err != nil {
		return nil, err
	}
	if !filepath.IsAbs(to.Dir) {
		return nil, badField("bad_field", "dir", "dir: expected the absolute path of a directory that does not exist yet")
	}
	to.Dir = filepath.Clean(to.Dir)
	err := s.options.Backup(to.Dir)
	var path *fs.PathError
	switch {
	case errors.Is(err, fs.ErrExist):
		return nil, &refusal{fasthttp.StatusConflict, errorDetail{"exists", to.Dir + " exists already", "dir"}}
	case errors.As(err, &path):
		// The path is the caller's choice, and so is what is wrong with it.
		return nil, badField("bad_field", "dir", path.Error())
	case err != nil:
		return nil, err
	}
	return to, nil
}

// readBody reads a body into a struct. Fields that it doesn't have are refused.
func readBody(body []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(into)
	if err == nil {
		if _, err = decoder.Token(); errors.Is(err, io.EOF) {
			return nil
		}
		err = errors.New("something follows the object")
	}
	if errors.Is(err, io.EOF) {
		err = errors.New("it is empty")
	}
	return refused(fasthttp.StatusBadRequest, "bad_body", "the body is not the JSON object that is expected here: "+err.Error())
}
