package io.sirocco.convert;

import io.sirocco.checkpoint.ElementType;
import io.sirocco.checkpoint.SafetensorsFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;

/** A causal model of a few kilobytes, with two key-value heads. */
final class SmallModel {
  private static final String CONFIG =
      """
      {"model_type": "mistral", "architectures": ["MistralForCausalLM"],
       "hidden_size": 8, "intermediate_size": 6, "num_hidden_layers": 1,
       "num_attention_heads": 2, "num_key_value_heads": 2, "head_dim": 4, "vocab_size": 6,
       "max_position_embeddings": 64, "rms_norm_eps": 1e-5, "sliding_window": 8}
      """;

  private final Random random = new Random(1);
  private final SafetensorsFile file = new SafetensorsFile();

  private SmallModel() {}

  static RawFixture fixture() {
    try {
      Path folder = Files.createTempDirectory("sirocco-small-model-");
      new SmallModel().tensors().open(folder, CONFIG);
      RawFixture fixture = RawFixture.of(folder);
      Files.delete(folder.resolve("model.safetensors"));
      Files.delete(folder.resolve("config.json"));
      Files.delete(folder);
      return fixture;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private SafetensorsFile tensors() {
    add("model.embed_tokens.weight", 6, 8);
    String layer = "model.layers.0.";
    add(layer + "input_layernorm.weight", 8);
    add(layer + "self_attn.q_proj.weight", 8, 8);
    add(layer + "self_attn.k_proj.weight", 8, 8);
    add(layer + "self_attn.v_proj.weight", 8, 8);
    add(layer + "self_attn.o_proj.weight", 8, 8);
    add(layer + "post_attention_layernorm.weight", 8);
    add(layer + "mlp.gate_proj.weight", 6, 8);
    add(layer + "mlp.up_proj.weight", 6, 8);
    add(layer + "mlp.down_proj.weight", 8, 6);
    add("model.norm.weight", 8);
    add("lm_head.weight", 6, 8);
    return file;
  }

  private void add(String name, long... shape) {
    int elements = 1;
    for (long dimension : shape) {
      elements *= (int) dimension;
    }
    float[] values = new float[elements];
    for (int i = 0; i < elements; i++) {
      values[i] = (float) random.nextGaussian();
    }
    file.with(name, ElementType.BF16, values, shape);
  }
}
