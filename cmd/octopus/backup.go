package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/valyala/fasthttp"
)

// adminCallTimeout bounds a call of the admin API. Copying a large database to another disk takes a while.
const adminCallTimeout = 15 * time.Minute

// adminClientFlags say how to call the admin API of a running server.
type adminClientFlags struct {
	AdminURL   string `name:"admin-url" default:"http://127.0.0.1:8081" placeholder:"URL" help:"Admin port of the server (default ${default})."`
	AdminToken string `placeholder:"TOKEN" help:"Its admin token."`
}

// backupCommand has a running server copy its database.
type backupCommand struct {
	adminClientFlags
	Dir string `arg:"" help:"Directory on the server's disk that does not exist yet."`
}

// Run prints where the copy is.
func (c *backupCommand) Run(stdout io.Writer) error {
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	if err := c.call("/api/v1/backup", map[string]string{"dir": dir}); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	_, err = fmt.Fprintf(stdout, "%s is a copy of the database; it is opened with the same secret key, which is not in it\n", dir)
	return err
}

// call posts a body to a path of the admin API.
func (f *adminClientFlags) call(path string, body any) error {
	if f.AdminToken == "" {
		return errors.New("--admin-token or OCTOPUS_ADMIN_TOKEN is needed: the token that the server was started with")
	}
	base, err := url.Parse(f.AdminURL)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" {
		return fmt.Errorf("--admin-url: expected a URL such as http://127.0.0.1:8081 but got %q", f.AdminURL)
	}
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, response := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(request)
	defer fasthttp.ReleaseResponse(response)
	request.SetRequestURI(strings.TrimRight(f.AdminURL, "/") + path)
	request.Header.SetMethod(fasthttp.MethodPost)
	request.Header.SetContentType("application/json")
	request.Header.Set("Authorization", "Bearer "+f.AdminToken)
	request.SetConnectionClose()
	request.SetBody(text)
	client := fasthttp.Client{DialDualStack: true}
	if err := client.DoTimeout(request, response, adminCallTimeout); err != nil {
		return fmt.Errorf("%s: %w", f.AdminURL, err)
	}
	if status := response.StatusCode(); status != fasthttp.StatusOK {
		return fmt.Errorf("%s: status %d: %s", f.AdminURL, status, refusalIn(response.Body()))
	}
	return nil
}

// refusalIn returns the message of an error of the admin API, or the beginning of what else came.
func refusalIn(body []byte) string {
	var answer struct {
		Error struct{ Message string }
	}
	if err := json.Unmarshal(body, &answer); err == nil && answer.Error.Message != "" {
		return answer.Error.Message
	}
	return strings.ToValidUTF8(string(body[:min(len(body), 200)]), "?")
}
