package io.sirocco.tokenizer.convert;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * The generations of Mistral's tokenizers: how each writes a conversation. Templates are those of
 * the instruct models published with it, in our words.
 */
public enum Generation {
  /** 7B v0.1 and v0.2: instructions are marked by plain text. */
  V1("v1", "chat-v1.jinja", ""),

  /** 7B v0.3, Mixtral 8x22B: control tokens with a space behind; v2 writes the same text. */
  V3("v3", "chat-v3.jinja", " "),

  /** Nemo: as v3, without the spaces. */
  TEKKEN_V3("v3-tekken", "chat-v3.jinja", ""),

  /** Later ones, whose conversations depend on the model. */
  LATER("later than v3", "", "");

  /** What the template of v3 calls the character behind a control token. */
  private static final String GAP = "{%- set gap = \"%s\" %}\n";

  private final String label;
  private final String resource;
  private final String gap;

  Generation(String label, String resource, String gap) {
    this.label = label;
    this.resource = resource;
    this.gap = gap;
  }

  /** What its publisher calls it. */
  public String label() {
    return label;
  }

  /** The chat template, a Jinja program; empty where the generation has no one template. */
  public Optional<String> chatTemplate() {
    if (resource.isEmpty()) {
      return Optional.empty();
    }
    String source = read(resource);
    return Optional.of(this == V1 ? source : GAP.replace("%s", gap) + source);
  }

  private static String read(String resource) {
    try (InputStream in = Generation.class.getResourceAsStream(resource)) {
      if (in == null) {
        throw new IllegalStateException("the jar lacks " + resource + "; build it anew");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException("the jar cannot be read", e);
    }
  }
}
