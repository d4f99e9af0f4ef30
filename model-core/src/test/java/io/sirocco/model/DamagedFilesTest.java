package io.sirocco.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.sirocco.checkpoint.Checkpoint;
import io.sirocco.checkpoint.ElementType;
import io.sirocco.checkpoint.ModelException;
import io.sirocco.checkpoint.Mutations;
import io.sirocco.checkpoint.SafetensorsFile;
import io.sirocco.checkpoint.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.TreeSet;
import java.util.function.ToLongFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Files damaged at random: a {@link ModelException}, or a model whose every weight can be read. */
class DamagedFilesTest {
  private static final long SEED = 20260714;
  private static final int MUTATIONS = 20_000;

  /** Each mapped tensor is a mapping of the process until it is collected; there is a limit. */
  private static final int LOADS_BETWEEN_COLLECTIONS = 1000;

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
  void undamagedModelLoads() {
    weights().open(folder, CONFIG);
    assertThat(load(folder)).isPositive();
  }

  @Test
  void damagedWeightsLoadOrAreRefused() throws IOException {
    weights().open(folder, CONFIG);
    fuzz(
        "model.safetensors",
        weights().bytes(),
        HeaderLength.ADJUSTED_OFTEN,
        DamagedFilesTest::load);
  }

  @Test
  void damagedIndexLoadsOrIsRefused() throws IOException {
    Files.writeString(folder.resolve("config.json"), CONFIG);
    weights().write(folder.resolve("a.safetensors"));
    StringBuilder index = new StringBuilder("{\"metadata\":{\"total_size\":500},\"weight_map\":{");
    for (String name : new TreeSet<>(weights().open(folder.resolve("whole"), CONFIG).names())) {
      index.append("\"%s\":\"a.safetensors\",".formatted(name));
    }
    index.setLength(index.length() - 1);
    byte[] bytes = index.append("}}").toString().getBytes(StandardCharsets.UTF_8);
    fuzz("model.safetensors.index.json", bytes, HeaderLength.NONE, DamagedFilesTest::load);
  }

  @Test
  void damagedConfigLoadsOrIsRefused() throws IOException {
    // The weights stay as they are, so they are mapped once.
    Checkpoint whole = weights().open(folder.resolve("whole"), CONFIG);
    weights().open(folder, CONFIG);
    fuzz(
        "config.json",
        CONFIG.getBytes(StandardCharsets.UTF_8),
        HeaderLength.NONE,
        model -> load(Checkpoint.open(model), whole));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void mutationsRepeatWithTheirSeed(int seed) {
    byte[] bytes = CONFIG.getBytes(StandardCharsets.UTF_8);
    assertThat(new Mutations(seed).of(bytes)).isEqualTo(new Mutations(seed).of(bytes));
  }

  /** Whether the file begins with its header's length, which changes along with the header. */
  private enum HeaderLength {
    NONE,
    ADJUSTED_OFTEN
  }

  private void fuzz(String name, byte[] original, HeaderLength length, ToLongFunction<Path> load)
      throws IOException {
    Mutations mutations = new Mutations(SEED);
    Instant start = Instant.now();
    int loaded = 0;
    for (int i = 0; i < MUTATIONS; i++) {
      byte[] damaged = mutations.of(original);
      if (length == HeaderLength.ADJUSTED_OFTEN && i % 4 != 0) {
        adjustLength(original, damaged);
      }
      Files.write(folder.resolve(name), damaged);
      try {
        assertThat(load.applyAsLong(folder)).isPositive();
        loaded++;
        if (loaded % LOADS_BETWEEN_COLLECTIONS == 0) {
          System.gc();
        }
      } catch (ModelException e) {
        assertThat(e.getMessage()).isNotBlank();
      } catch (RuntimeException | Error e) {
        throw new AssertionError(
            "mutation %d of %s, seed %d: %s"
                .formatted(i, name, SEED, new String(damaged, StandardCharsets.ISO_8859_1)),
            e);
      }
    }
    Duration took = Duration.between(start, Instant.now());
    System.out.printf(
        "DamagedFilesTest: %s: %d mutations, %d loaded, the others refused; %d ms (seed %d)%n",
        name, MUTATIONS, loaded, took.toMillis(), SEED);
    assertThat(loaded).isBetween(1, MUTATIONS - 1);
  }

  /** As if the header had been written so: its length grows by what the file has grown. */
  private static void adjustLength(byte[] original, byte[] damaged) {
    if (damaged.length >= Long.BYTES) {
      ByteBuffer bytes = ByteBuffer.wrap(damaged).order(ByteOrder.LITTLE_ENDIAN);
      long before = ByteBuffer.wrap(original).order(ByteOrder.LITTLE_ENDIAN).getLong();
      bytes.putLong(0, before + damaged.length - original.length);
    }
  }

  private static long load(Path model) {
    Checkpoint checkpoint = Checkpoint.open(model);
    return load(checkpoint, checkpoint);
  }

  /** Reads the weights of one checkpoint as the config of another says; the number of elements. */
  private static long load(Checkpoint described, Checkpoint checkpoint) {
    MistralConfig config = MistralConfig.parse(described.config(), described.folder().toString());
    MistralWeights weights = MistralWeights.of(checkpoint, config);
    assertThat(weights.score().rows()).isEqualTo(config.labels().names().size());
    float[] frequencies = RotaryFrequencies.of(config).inverseFrequencies(100);
    assertThat(frequencies).hasSize(config.headDim() / 2);
    long read = 0;
    for (String name : checkpoint.names()) {
      Tensor tensor = weights.checkpoint().find(name).orElseThrow();
      float[] row = new float[tensor.columns()];
      for (int i = 0; i < tensor.rows(); i++) {
        tensor.readRow(i, row);
        read += row.length;
      }
    }
    return read;
  }
}
