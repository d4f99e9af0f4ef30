package io.sirocco.model;

import java.util.Optional;
import java.util.stream.Stream;

/** The linear layers of a decoder layer, by the names of Hugging Face's modules. */
public enum Projection {
  QUERY("self_attn.q_proj"),
  KEY("self_attn.k_proj"),
  VALUE("self_attn.v_proj"),
  ATTENTION_OUT("self_attn.o_proj"),
  GATE("mlp.gate_proj"),
  UP("mlp.up_proj"),
  DOWN("mlp.down_proj");

  private final String module;

  Projection(String module) {
    this.module = module;
  }

  /** Its module's name within the layer, such as {@code self_attn.q_proj}. */
  public String module() {
    return module;
  }

  /** The one of that {@link #module}. */
  public static Optional<Projection> of(String module) {
    return Stream.of(values()).filter(one -> one.module.equals(module)).findFirst();
  }

  /** K of the weight {@code [N, K]}. */
  public int inputs(MistralConfig config) {
    return switch (this) {
      case QUERY, KEY, VALUE, GATE, UP -> config.hiddenSize();
      case ATTENTION_OUT -> Math.multiplyExact(config.numAttentionHeads(), config.headDim());
      case DOWN -> config.intermediateSize();
    };
  }

  /** N of the weight {@code [N, K]}. */
  public int outputs(MistralConfig config) {
    return switch (this) {
      case QUERY -> Math.multiplyExact(config.numAttentionHeads(), config.headDim());
      case KEY, VALUE -> Math.multiplyExact(config.numKeyValueHeads(), config.headDim());
      case ATTENTION_OUT, DOWN -> config.hiddenSize();
      case GATE, UP -> config.intermediateSize();
    };
  }
}
