package io.sirocco.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.sirocco.checkpoint.Checkpoint;
import io.sirocco.checkpoint.ElementType;
import io.sirocco.checkpoint.ModelException;
import io.sirocco.checkpoint.MutationTrials;
import io.sirocco.checkpoint.Mutations;
import io.sirocco.checkpoint.SafetensorsFile;
import io.sirocco.checkpoint.Tensor;
import io.sirocco.engine.Inspection;
import io.sirocco.kernel.JavaKernels;
import io.sirocco.kernel.Kernels;
import io.sirocco.kernel.Matrix;
import io.sirocco.kernel.Precision;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Files damaged at random: a {@link ModelException}, or a model whose every weight can be read, and
 * which computes.
 */
class DamagedFilesTest {
  private static final int USUAL = 3000;
  private static final long HEAP_BASE = 3 << 20;
  private static final int HEAP_PER_BYTE = 100;

  private static final String CONFIG =
      """
      {"model_type": "mistral", "architectures": ["MistralForSequenceClassification"],
       "hidden_size": 4, "intermediate_size": 6, "num_hidden_layers": 1,
       "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 4, "hidden_act": "silu",
       "vocab_size": 5, "max_position_embeddings": 64, "rms_norm_eps": 1e-5,
       "rope_parameters": {"rope_type": "longrope", "rope_theta": 10000.0, "factor": 2.0,
         "short_factor": [1.0, 1.5], "long_factor": [2.0, 3.0],
         "original_max_position_embeddings": 32, "attention_factor": null},
       "rope_scaling": null, "sliding_window": 8, "tie_word_embeddings": false,
       "pad_token_id": 0, "num_labels": 2, "id2label": {"0": "a", "1": "b"},
       "problem_type": null}
      """;

  @TempDir Path folder;

  private static SafetensorsFile weights() {
    SafetensorsFile file = new SafetensorsFile();
    add(file, "embed_tokens.weight", 5, 4);
    String layer = "layers.0.";
    add(file, layer + "input_layernorm.weight", 4);
    add(file, layer + "self_attn.q_proj.weight", 8, 4);
    add(file, layer + "self_attn.k_proj.weight", 4, 4);
    add(file, layer + "self_attn.v_proj.weight", 4, 4);
    add(file, layer + "self_attn.o_proj.weight", 4, 8);
    add(file, layer + "post_attention_layernorm.weight", 4);
    add(file, layer + "mlp.gate_proj.weight", 6, 4);
    add(file, layer + "mlp.up_proj.weight", 6, 4);
    add(file, layer + "mlp.down_proj.weight", 4, 6);
    add(file, "norm.weight", 4);
    add(file, "score.weight", 2, 4);
    return file;
  }

  private static void add(SafetensorsFile file, String name, long... shape) {
    int elements = 1;
    for (long dimension : shape) {
      elements *= (int) dimension;
    }
    boolean prefixed = !name.startsWith("score");
    file.with((prefixed ? "model." : "") + name, ElementType.BF16, new float[elements], shape);
  }

  @Test
  void damagedWeightsLoadOrAreRefused() throws Exception {
    weights().open(folder, CONFIG);
    byte[] original = weights().bytes();
    trials("model.safetensors")
        .run(
            folder.resolve("model.safetensors"),
            original,
            (bytes, seed) -> lengthAdjusted(bytes, new Mutations(seed).of(bytes), seed),
            () -> use(folder));
  }

  @Test
  void damagedIndexLoadsOrIsRefused() throws Exception {
    Files.writeString(folder.resolve("config.json"), CONFIG);
    weights().write(folder.resolve("a.safetensors"));
    StringBuilder index = new StringBuilder("{\"metadata\":{\"total_size\":500},\"weight_map\":{");
    for (String name : new TreeSet<>(weights().open(folder.resolve("whole"), CONFIG).names())) {
      index.append("\"%s\":\"a.safetensors\",".formatted(name));
    }
    index.setLength(index.length() - 1);
    byte[] bytes = index.append("}}").toString().getBytes(StandardCharsets.UTF_8);
    trials("model.safetensors.index.json")
        .run(folder.resolve("model.safetensors.index.json"), bytes, () -> use(folder));
  }

  @Test
  void damagedConfigLoadsOrIsRefused() throws Exception {
    weights().open(folder, CONFIG);
    trials("config.json")
        .run(
            folder.resolve("config.json"),
            CONFIG.getBytes(StandardCharsets.UTF_8),
            () -> use(folder));
  }

  private static MutationTrials trials(String file) {
    return new MutationTrials(file, USUAL, HEAP_BASE, HEAP_PER_BYTE);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void mutationsRepeatWithTheirSeed(int seed) {
    byte[] bytes = CONFIG.getBytes(StandardCharsets.UTF_8);
    assertThat(new Mutations(seed).of(bytes)).isEqualTo(new Mutations(seed).of(bytes));
  }

  /**
   * Three of four times as if the header had been written so: its length grows by what the file has
   * grown.
   */
  private static byte[] lengthAdjusted(byte[] original, byte[] damaged, long seed) {
    if (damaged.length >= Long.BYTES && (seed & 3) != 0) {
      ByteBuffer bytes = ByteBuffer.wrap(damaged).order(ByteOrder.LITTLE_ENDIAN);
      long before = ByteBuffer.wrap(original).order(ByteOrder.LITTLE_ENDIAN).getLong();
      bytes.putLong(0, before + damaged.length - original.length);
    }
    return damaged;
  }

  /** All that a job, and {@code inspect}, ask of a model. */
  private static void use(Path model) {
    assertThat(Inspection.of(model).path()).isEqualTo(model);
    Checkpoint checkpoint = Checkpoint.open(model);
    MistralConfig config = MistralConfig.parse(checkpoint.config(), model.toString());
    MistralWeights weights = MistralWeights.of(checkpoint, config);
    assertThat(weights.score().rows()).isEqualTo(config.labels().names().size());
    assertThat(checkpoint.fingerprint()).isNotBlank();
    assertThat(checkpoint.weightsFingerprint()).isNotBlank();
    assertThat(checkpoint.bytes()).isPositive();
    for (String name : checkpoint.names()) {
      readAll(checkpoint.find(name).orElseThrow());
    }
    compute(config, weights);
  }

  private static void readAll(Tensor tensor) {
    float[] row = new float[tensor.columns()];
    for (int i = 0; i < tensor.rows(); i++) {
      tensor.readRow(i, row);
    }
  }

  /** Rows within and beyond the sliding window; the numbers may be anything. */
  private static void compute(MistralConfig config, MistralWeights weights) {
    float[] frequencies = RotaryFrequencies.of(config).inverseFrequencies(100);
    assertThat(frequencies).hasSize(config.headDim() / 2);
    try (BufferAllocator allocator = new RootAllocator();
        Kernels kernels = new JavaKernels(Precision.FLOAT32, 1)) {
      MistralModel model = MistralModel.of(config, weights, kernels);
      try (Decoder decoder = new Decoder(model, allocator)) {
        List<TokenRow> rows = List.of(TokenRow.of(new int[] {1, 2, 3}), TokenRow.of(new int[40]));
        Matrix residual = decoder.forward(rows);
        float[][] logits =
            new ClassificationHead(model, weights.score()).logits(rows, residual, allocator);
        assertThat(logits).hasNumberOfRows(rows.size());
        Scores.of(config.labels().kind(), logits[0]);
      }
    }
  }
}
