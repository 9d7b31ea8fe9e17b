package admin

import (
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fasthttp"
)

// object is a JSON object of the description.
type object = map[string]any

// openAPI answers with the description of all routes, made of their table (OpenAPI 3.1, https://spec.openapis.org/oas/v3.1.1).
func openAPI(*Server, *fasthttp.RequestCtx, query) (any, error) {
	paths := make(object)
	for _, r := range table() {
		if paths[r.path] == nil {
			paths[r.path] = make(object)
		}
		paths[r.path].(object)[strings.ToLower(r.method)] = r.operation()
	}
	return object{
		"openapi":    "3.1.1",
		"info":       object{"title": "Octopus admin API", "version": "1"},
		"paths":      paths,
		"components": object{"securitySchemes": object{"token": object{"type": "http", "scheme": "bearer"}}},
		"security":   []object{{"token": []string{}}},
	}, nil
}

// operation describes a route.
func (r *route) operation() object {
	content := object{r.media: object{}}
	if r.answer != nil {
		content = object{"application/json": object{"schema": schema(reflect.TypeOf(r.answer))}}
	}
	operation := object{
		"summary":    r.about,
		"parameters": r.parameters(),
		"responses": object{
			"200":     object{"description": "Success.", "content": content},
			"default": object{"description": "An error.", "content": object{"application/json": object{"schema": schema(reflect.TypeFor[errorBody]())}}},
		},
	}
	if r.body != nil {
		operation["requestBody"] = object{
			"required": true, "content": object{"application/json": object{"schema": schema(reflect.TypeOf(r.body))}},
		}
	}
	switch r.access {
	case forAnyone:
		operation["security"] = []object{}
	case forScrapers:
		operation["security"] = []object{{}, {"token": []string{}}}
	}
	return operation
}

// parameters describes the parameters in the path and in the query.
func (r *route) parameters() []object {
	described := []object{}
	for part := range strings.SplitSeq(r.path, "/") {
		if name := strings.Trim(part, "{}"); name != part {
			described = append(described, object{"name": name, "in": "path", "required": true, "schema": object{"type": "string"}})
		}
	}
	for i := range r.query {
		p := &r.query[i]
		described = append(described, object{"name": p.name, "in": "query", "description": p.about, "schema": p.schema()})
	}
	return described
}

// schema describes the values of a parameter.
func (p *parameter) schema() object {
	s := object{"type": "string"}
	switch p.kind {
	case aNumber:
		s = object{"type": "integer", "minimum": p.min, "maximum": p.max}
		if n, err := strconv.Atoi(p.fallback); err == nil {
			s["default"] = n
		}
		return s
	case aFlag:
		return object{"type": "boolean", "default": p.fallback == "true"}
	case aTime:
		s["format"] = "date-time"
	case aChoice:
		s["enum"] = p.choices
	default:
		s["maxLength"] = maxText
	}
	if p.fallback != "" {
		s["default"] = p.fallback
	}
	return s
}

// schema describes a type as encoding/json writes it. Types of answers are as simple as their JSON: all fields are always there.
func schema(t reflect.Type) object {
	if t == reflect.TypeFor[time.Time]() {
		return object{"type": "string", "format": "date-time"}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return object{"anyOf": []object{schema(t.Elem()), {"type": "null"}}}
	case reflect.Struct:
		properties, required := make(object), []string{}
		for _, f := range reflect.VisibleFields(t) {
			if name := f.Tag.Get("json"); name != "" {
				properties[name] = schema(f.Type)
				required = append(required, name)
			}
		}
		return object{"type": "object", "properties": properties, "required": required}
	case reflect.Slice:
		return object{"type": "array", "items": schema(t.Elem())}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": schema(t.Elem())}
	case reflect.String:
		return object{"type": "string"}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Float64:
		return object{"type": "number"}
	case reflect.Interface:
		return object{}
	case reflect.Int, reflect.Int64, reflect.Uint64:
		return object{"type": "integer"}
	}
	panic("BUG: no schema for " + t.String())
}
