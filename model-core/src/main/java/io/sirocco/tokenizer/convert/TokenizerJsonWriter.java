package io.sirocco.tokenizer.convert;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sirocco.tokenizer.convert.TokenizerParts.Added;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;

/** Writes a tokenizer.json, key by key in the order of Hugging Face's own files. */
final class TokenizerJsonWriter {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private final TokenizerParts parts;
  private final JsonGenerator json;

  private TokenizerJsonWriter(TokenizerParts parts, JsonGenerator json) {
    this.parts = parts;
    this.json = json;
  }

  static String write(TokenizerParts parts) {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = MAPPER.createGenerator(text)) {
      new TokenizerJsonWriter(parts, json).write();
    } catch (IOException e) {
      throw new UncheckedIOException("a string takes all that is written to it", e);
    }
    return text.toString();
  }

  private void write() throws IOException {
    json.writeStartObject();
    json.writeStringField("version", "1.0");
    json.writeNullField("truncation");
    json.writeNullField("padding");
    addedTokens();
    step("normalizer", parts.steps().normalizer());
    step("pre_tokenizer", parts.steps().preTokenizer());
    postProcessor();
    step("decoder", parts.steps().decoder());
    model();
    json.writeEndObject();
  }

  private void step(String name, String value) throws IOException {
    json.writeFieldName(name);
    json.writeTree(MAPPER.readTree(value));
  }

  private void addedTokens() throws IOException {
    json.writeArrayFieldStart("added_tokens");
    for (Added token : parts.added()) {
      json.writeStartObject();
      json.writeNumberField("id", token.id());
      json.writeStringField("content", parts.tokens().get(token.id()));
      json.writeBooleanField("single_word", false);
      json.writeBooleanField("lstrip", false);
      json.writeBooleanField("rstrip", false);
      json.writeBooleanField("normalized", false);
      json.writeBooleanField("special", token.special());
      json.writeEndObject();
    }
    json.writeEndArray();
  }

  /** One token in front of a text, and of the second of two texts. */
  private void postProcessor() throws IOException {
    String beginning = parts.tokens().get(parts.beginning());
    json.writeObjectFieldStart("post_processor");
    json.writeStringField("type", "TemplateProcessing");
    json.writeArrayFieldStart("single");
    text(beginning, "A", 0);
    json.writeEndArray();
    json.writeArrayFieldStart("pair");
    text(beginning, "A", 0);
    text(beginning, "B", 1);
    json.writeEndArray();
    json.writeObjectFieldStart("special_tokens");
    json.writeObjectFieldStart(beginning);
    json.writeStringField("id", beginning);
    json.writeArrayFieldStart("ids");
    json.writeNumber(parts.beginning());
    json.writeEndArray();
    json.writeArrayFieldStart("tokens");
    json.writeString(beginning);
    json.writeEndArray();
    json.writeEndObject();
    json.writeEndObject();
    json.writeEndObject();
  }

  private void text(String beginning, String sequence, int typeId) throws IOException {
    piece("SpecialToken", beginning, typeId);
    piece("Sequence", sequence, typeId);
  }

  private void piece(String kind, String id, int typeId) throws IOException {
    json.writeStartObject();
    json.writeObjectFieldStart(kind);
    json.writeStringField("id", id);
    json.writeNumberField("type_id", typeId);
    json.writeEndObject();
    json.writeEndObject();
  }

  private void model() throws IOException {
    json.writeObjectFieldStart("model");
    json.writeStringField("type", "BPE");
    json.writeNullField("dropout");
    json.writeStringField("unk_token", parts.model().unknown().orElse(null));
    json.writeNullField("continuing_subword_prefix");
    json.writeNullField("end_of_word_suffix");
    json.writeBooleanField("fuse_unk", parts.model().bytesForUnknown());
    json.writeBooleanField("byte_fallback", parts.model().bytesForUnknown());
    json.writeBooleanField("ignore_merges", parts.model().ignoreMerges());
    json.writeObjectFieldStart("vocab");
    for (int id = 0; id < parts.tokens().size(); id++) {
      json.writeNumberField(parts.tokens().get(id), id);
    }
    json.writeEndObject();
    json.writeArrayFieldStart("merges");
    for (Merges.Merge merge : parts.merges()) {
      json.writeStartArray();
      json.writeString(parts.tokens().get(merge.left()));
      json.writeString(parts.tokens().get(merge.right()));
      json.writeEndArray();
    }
    json.writeEndArray();
    json.writeEndObject();
  }
}
