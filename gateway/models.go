package gateway

import (
	"fmt"
	"strconv"
	"time"

	"github.com/valyala/fasthttp"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// listedModel is one name in the list of models.
type listedModel struct {
	name  string
	group *group
}

// modelsEpoch is when every model was created, as clients insist on a time: the gateway does not know better.
var modelsEpoch = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

// maxModelsPage is the largest page that Anthropic's list gives (https://docs.anthropic.com/en/api/models-list).
const maxModelsPage = 1000

// listModels answers GET /v1/models. The answer is one object that OpenAI's and Anthropic's SDKs both read.
func (g *Gateway) listModels(ctx *fasthttp.RequestCtx) {
	visible, e := g.visibleModels(ctx)
	if e != nil {
		g.refuse(ctx, protocolOf(ctx), e)
		return
	}
	more := false
	if protocolOf(ctx) == llm.Messages {
		if visible, more, e = page(visible, ctx.QueryArgs()); e != nil {
			g.refuse(ctx, llm.Messages, e)
			return
		}
	}
	b := []byte(`{"object":"list","data":[`)
	for i, m := range visible {
		if i > 0 {
			b = append(b, ',')
		}
		b = m.append(b)
	}
	b = append(b, `],"has_more":`...)
	b = strconv.AppendBool(b, more)
	first, last := []byte("null"), []byte("null")
	if len(visible) > 0 {
		first = json.AppendString(nil, visible[0].name)
		last = json.AppendString(nil, visible[len(visible)-1].name)
	}
	b = append(append(b, `,"first_id":`...), first...)
	b = append(append(b, `,"last_id":`...), last...)
	g.answerJSON(ctx, append(b, '}'))
}

// showModel answers GET /v1/models/{id}.
func (g *Gateway) showModel(ctx *fasthttp.RequestCtx, id string) {
	visible, e := g.visibleModels(ctx)
	for _, m := range visible {
		if m.name == id {
			g.answerJSON(ctx, m.append(nil))
			return
		}
	}
	if e == nil {
		e = &llm.Error{Kind: llm.NotFound, Code: "model_not_found", Param: "model", NoRetry: true,
			Message: fmt.Sprintf("The model %q does not exist or this API key has no access to it.", cut(id))}
	}
	g.refuse(ctx, protocolOf(ctx), e)
}

// visibleModels returns the models that the request's API key may call.
func (g *Gateway) visibleModels(ctx *fasthttp.RequestCtx) ([]listedModel, *llm.Error) {
	if !ctx.IsGet() && !ctx.IsHead() {
		return nil, methodNotAllowed(ctx, "GET")
	}
	s := g.snapshot.Load()
	if s == nil {
		return nil, &llm.Error{Kind: llm.Unavailable, Message: "The gateway has no configuration yet."}
	}
	key, e := s.keyOf(&ctx.Request.Header)
	if e == nil {
		e = key.admit(g.clientAddress(ctx))
	}
	if e != nil {
		return nil, e
	}
	var visible []listedModel
	for _, m := range s.models {
		if key.groups.has(m.group.name) {
			visible = append(visible, m)
		}
	}
	return visible, nil
}

// page cuts a page out of the list, by the parameters of Anthropic's API: limit, after_id, before_id.
func page(list []listedModel, args *fasthttp.Args) (cut []listedModel, more bool, e *llm.Error) {
	limit := 20
	if text := args.Peek("limit"); len(text) > 0 {
		n, err := strconv.Atoi(string(text))
		if err != nil || n < 1 || n > maxModelsPage {
			return nil, false, &llm.Error{Kind: llm.InvalidRequest, Param: "limit", NoRetry: true,
				Message: fmt.Sprintf("limit must be a number from 1 to %d.", maxModelsPage)}
		}
		limit = n
	}
	if id := args.Peek("after_id"); len(id) > 0 {
		for i, m := range list {
			if m.name == string(id) {
				list = list[i+1:]
				break
			}
		}
	}
	if id := args.Peek("before_id"); len(id) > 0 {
		for i, m := range list {
			if m.name == string(id) {
				list = list[:i]
				break
			}
		}
		if len(list) > limit {
			return list[len(list)-limit:], true, nil
		}
		return list, false, nil
	}
	if len(list) > limit {
		return list[:limit], true, nil
	}
	return list, false, nil
}

// append appends the model as an object that has the fields of both APIs.
func (m listedModel) append(b []byte) []byte {
	name := json.AppendString(nil, m.name)
	b = append(append(b, `{"id":`...), name...)
	b = append(b, `,"object":"model","type":"model","created":`...)
	b = strconv.AppendInt(b, modelsEpoch.Unix(), 10)
	b = append(b, `,"created_at":"`...)
	b = modelsEpoch.AppendFormat(b, time.RFC3339)
	b = append(append(b, `","display_name":`...), name...)
	return append(b, `,"owned_by":"octopus"}`...)
}

// answerJSON answers with status 200.
func (g *Gateway) answerJSON(ctx *fasthttp.RequestCtx, body []byte) {
	setRequestID(&ctx.Response.Header, appendRequestID(nil, g.requestIDPrefix, g.requestIDs.Add(1)))
	ctx.Response.Header.SetContentTypeBytes(headerContentTypeDefault)
	ctx.Response.SetBodyRaw(body)
}
