package admin

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestTheDescriptionListsEveryRoute(t *testing.T) {
	p := openWithToken(t, Options{})
	var got struct {
		OpenAPI string
		Paths   map[string]map[string]struct {
			Summary    string
			Parameters []struct {
				Name, In string
				Schema   map[string]any
			}
			RequestBody map[string]any
			Responses   map[string]struct{ Content map[string]any }
			Security    *[]any
		}
	}
	p.ask(t, "/api/openapi.json", &got)
	if !strings.HasPrefix(got.OpenAPI, "3.1.") {
		t.Errorf("version %q", got.OpenAPI)
	}
	described := 0
	for _, methods := range got.Paths {
		described += len(methods)
	}
	if described != len(table()) {
		t.Errorf("%d operations are described, there are %d routes", described, len(table()))
	}
	for _, r := range table() {
		of, ok := got.Paths[r.path][strings.ToLower(r.method)]
		if !ok {
			t.Errorf("%s %s is not described", r.method, r.path)
			continue
		}
		if of.Summary == "" || (of.RequestBody != nil) != (r.body != nil) || (of.Security == nil) != (r.access == forAdmin) {
			t.Errorf("%s %s is described as %+v", r.method, r.path, of)
		}
		if want := len(r.query) + strings.Count(r.path, "{"); len(of.Parameters) != want {
			t.Errorf("%s: %d parameters, want %d", r.path, len(of.Parameters), want)
		}
		for _, parameter := range of.Parameters {
			if parameter.Schema["type"] == nil {
				t.Errorf("%s: %s has no type", r.path, parameter.Name)
			}
		}
		if of.Responses["200"].Content == nil || of.Responses["default"].Content == nil {
			t.Errorf("%s: answers are %v", r.path, of.Responses)
		}
	}
}

// What is described is what is answered: every field, and none besides.
func TestAnswersAreAsDescribed(t *testing.T) {
	p := recorded(t, Options{Config: named}, failedOver("req_1"))
	var description map[string]any
	p.ask(t, "/api/openapi.json", &description)
	for _, path := range []string{"/api/v1/stats/summary", "/api/v1/stats/series", "/api/v1/stats/ranking", "/api/v1/logs", "/api/v1/logs/{id}"} {
		of := description["paths"].(object)[path].(object)["get"].(object)["responses"].(object)["200"].(object)
		described := of["content"].(object)["application/json"].(object)["schema"].(object)
		_, body := p.call(t, "GET", strings.Replace(path, "{id}", "req_1", 1), "")
		var answer any
		if err := json.Unmarshal([]byte(body), &answer); err != nil {
			t.Fatal(err)
		}
		checkSchema(t, path, described, answer)
	}
}

func checkSchema(t *testing.T, at string, described object, value any) {
	t.Helper()
	if choices, ok := described["anyOf"].([]any); ok {
		if value != nil {
			checkSchema(t, at, choices[0].(object), value)
		}
		return
	}
	kind, fits := described["type"], false
	switch value := value.(type) {
	case object:
		fits = kind == "object"
		properties, _ := described["properties"].(object)
		for name, field := range value {
			switch {
			case properties[name] != nil:
				checkSchema(t, at+"."+name, properties[name].(object), field)
			case described["additionalProperties"] == nil:
				t.Errorf("%s.%s is not described", at, name)
			}
		}
		for name := range properties {
			if _, there := value[name]; !there {
				t.Errorf("%s.%s is described and missing", at, name)
			}
		}
	case []any:
		if fits = kind == "array"; fits {
			for _, item := range value {
				checkSchema(t, at+"[]", described["items"].(object), item)
			}
		}
	case string:
		fits = kind == "string"
	case bool:
		fits = kind == "boolean"
	case float64:
		fits = kind == "number" || kind == "integer"
	}
	if !fits {
		t.Errorf("%s is %v, described as %v", at, value, kind)
	}
}
