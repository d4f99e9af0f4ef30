package io.sirocco.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sirocco.kernel.BFloat16;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * Writes a Hugging Face folder of a classifier and language model with random bfloat16 weights:
 * real shapes, meaningless answers. Uniform weights of variance 1 / inputs keep activations near
 * one, so that no arithmetic is made easy by zeros or hard by infinities.
 */
public final class SyntheticCheckpoint {
  private static final int LABELS = 2;
  private static final int BUFFER = 1 << 20;
  private static final int BFLOAT16_BYTES = 2;

  private final Geometry geometry;
  private final int layers;
  private final ObjectMapper json = new ObjectMapper();

  private SyntheticCheckpoint(Geometry geometry, int layers) {
    this.geometry = geometry;
    this.layers = layers;
  }

  /**
   * Writes config.json, model.safetensors and a {@link SyntheticTokenizer} into {@code folder},
   * which is made if need be. The same arguments give the same bytes.
   *
   * @param layers number of decoder layers; 436 MB each for mistral-7b
   */
  public static void write(Path folder, Geometry geometry, int layers) throws IOException {
    Files.createDirectories(folder);
    SyntheticCheckpoint checkpoint = new SyntheticCheckpoint(geometry, layers);
    Files.writeString(folder.resolve("config.json"), checkpoint.config());
    Files.writeString(folder.resolve("tokenizer.json"), SyntheticTokenizer.json());
    checkpoint.writeTensors(folder.resolve("model.safetensors"));
  }

  private String config() {
    ObjectNode config = json.createObjectNode();
    config.putArray("architectures").add("MistralForSequenceClassification");
    config.put("model_type", "mistral");
    config.put("torch_dtype", "bfloat16");
    config.put("vocab_size", geometry.vocabulary());
    config.put("hidden_size", geometry.hidden());
    config.put("intermediate_size", geometry.feedForward());
    config.put("num_hidden_layers", layers);
    config.put("num_attention_heads", geometry.heads());
    config.put("num_key_value_heads", geometry.kvHeads());
    config.put("head_dim", geometry.headDim());
    config.put("hidden_act", "silu");
    config.put("max_position_embeddings", 32768);
    config.put("rms_norm_eps", 1e-5);
    config.put("rope_theta", 10000.0);
    config.put("sliding_window", 4096);
    config.put("pad_token_id", 2);
    config.put("eos_token_id", 2);
    config.put("tie_word_embeddings", false);
    return config.toPrettyString();
  }

  private Map<String, int[]> shapes() {
    int hidden = geometry.hidden();
    int queries = geometry.heads() * geometry.headDim();
    int keys = geometry.kvHeads() * geometry.headDim();
    Map<String, int[]> shapes = new LinkedHashMap<>();
    shapes.put("model.embed_tokens.weight", new int[] {geometry.vocabulary(), hidden});
    for (int layer = 0; layer < layers; layer++) {
      String prefix = "model.layers." + layer + ".";
      shapes.put(prefix + "input_layernorm.weight", new int[] {hidden});
      shapes.put(prefix + "self_attn.q_proj.weight", new int[] {queries, hidden});
      shapes.put(prefix + "self_attn.k_proj.weight", new int[] {keys, hidden});
      shapes.put(prefix + "self_attn.v_proj.weight", new int[] {keys, hidden});
      shapes.put(prefix + "self_attn.o_proj.weight", new int[] {hidden, queries});
      shapes.put(prefix + "post_attention_layernorm.weight", new int[] {hidden});
      shapes.put(prefix + "mlp.gate_proj.weight", new int[] {geometry.feedForward(), hidden});
      shapes.put(prefix + "mlp.up_proj.weight", new int[] {geometry.feedForward(), hidden});
      shapes.put(prefix + "mlp.down_proj.weight", new int[] {hidden, geometry.feedForward()});
    }
    shapes.put("model.norm.weight", new int[] {hidden});
    shapes.put("score.weight", new int[] {LABELS, hidden});
    shapes.put("lm_head.weight", new int[] {geometry.vocabulary(), hidden});
    return shapes;
  }

  private void writeTensors(Path file) throws IOException {
    Map<String, int[]> shapes = shapes();
    ObjectNode header = json.createObjectNode();
    header.putObject("__metadata__").put("format", "pt");
    long offset = 0;
    for (Map.Entry<String, int[]> entry : shapes.entrySet()) {
      ObjectNode tensor = header.putObject(entry.getKey());
      tensor.put("dtype", "BF16");
      tensor.set("shape", json.valueToTree(entry.getValue()));
      tensor.putArray("data_offsets").add(offset).add(offset + bytes(entry.getValue()));
      offset += bytes(entry.getValue());
    }
    byte[] text = json.writeValueAsBytes(header);
    // The header is padded with blanks, so that the data begins at a multiple of eight.
    byte[] padded =
        new String(text, StandardCharsets.UTF_8)
            .concat(" ".repeat((8 - text.length % 8) % 8))
            .getBytes(StandardCharsets.UTF_8);
    try (FileChannel channel =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE,
            StandardOpenOption.TRUNCATE_EXISTING)) {
      ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER).order(ByteOrder.LITTLE_ENDIAN);
      buffer.putLong(padded.length);
      drain(buffer, channel);
      ByteBuffer headerBytes = ByteBuffer.wrap(padded);
      while (headerBytes.hasRemaining()) {
        channel.write(headerBytes);
      }
      SplittableRandom random = new SplittableRandom(layers);
      for (int[] shape : shapes.values()) {
        writeTensor(shape, random, buffer, channel);
      }
      drain(buffer, channel);
    }
  }

  private static void writeTensor(
      int[] shape, SplittableRandom random, ByteBuffer buffer, FileChannel channel)
      throws IOException {
    long count = bytes(shape) / BFLOAT16_BYTES;
    boolean norm = shape.length == 1;
    float range = norm ? 0 : (float) Math.sqrt(3.0 / shape[1]);
    for (long i = 0; i < count; i++) {
      if (buffer.remaining() < BFLOAT16_BYTES) {
        drain(buffer, channel);
      }
      // 24 random bits in [-1, 1): cheaper than nextFloat, and as good here.
      float uniform = (random.nextInt() >> 7) * 0x1p-24f;
      buffer.putShort(BFloat16.fromFloat(norm ? 1f : uniform * range));
    }
  }

  private static long bytes(int[] shape) {
    long elements = 1;
    for (int dimension : shape) {
      elements *= dimension;
    }
    return elements * BFLOAT16_BYTES;
  }

  private static void drain(ByteBuffer buffer, FileChannel channel) throws IOException {
    buffer.flip();
    while (buffer.hasRemaining()) {
      channel.write(buffer);
    }
    buffer.clear();
  }
}
