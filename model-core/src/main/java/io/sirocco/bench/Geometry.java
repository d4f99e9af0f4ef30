package io.sirocco.bench;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** The sizes of published models, for synthetic checkpoints. */
public enum Geometry {
  /** Mistral 7B v0.1. */
  MISTRAL_7B(32, 4096, 14336, 32, 8, 128, 32000),
  /** Mistral Nemo 12B. */
  MISTRAL_NEMO(40, 5120, 14336, 32, 8, 128, 131072),
  /** Small enough to try the benchmark itself. */
  TINY(4, 128, 352, 4, 2, 32, 2048);

  private final int layers;
  private final int hidden;
  private final int feedForward;
  private final int heads;
  private final int kvHeads;
  private final int headDim;
  private final int vocabulary;

  Geometry(
      int layers,
      int hidden,
      int feedForward,
      int heads,
      int kvHeads,
      int headDim,
      int vocabulary) {
    this.layers = layers;
    this.hidden = hidden;
    this.feedForward = feedForward;
    this.heads = heads;
    this.kvHeads = kvHeads;
    this.headDim = headDim;
    this.vocabulary = vocabulary;
  }

  /** The geometry called {@code name}, such as {@code mistral-7b}. */
  public static Optional<Geometry> named(String name) {
    return Arrays.stream(values()).filter(geometry -> geometry.label().equals(name)).findFirst();
  }

  /** The name in commands and results. */
  public String label() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** num_hidden_layers of the published model. */
  public int layers() {
    return layers;
  }

  /** The width of the residual stream. */
  public int hidden() {
    return hidden;
  }

  int feedForward() {
    return feedForward;
  }

  int heads() {
    return heads;
  }

  int kvHeads() {
    return kvHeads;
  }

  int headDim() {
    return headDim;
  }

  int vocabulary() {
    return vocabulary;
  }
}
