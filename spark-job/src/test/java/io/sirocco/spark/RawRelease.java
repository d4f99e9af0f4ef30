package io.sirocco.spark;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * The sample data's writer as Mistral would have released it. The tests of model-core make releases
 * of every form, out of any model, but no jar of tests is built that these here could use.
 */
public final class RawRelease {
  public static final Path WRITER = Path.of("../sample-data/ticket-writer");

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final List<Map.Entry<String, String>> NAMES =
      List.of(
          Map.entry("post_attention_layernorm", "ffn_norm"),
          Map.entry("input_layernorm", "attention_norm"),
          Map.entry("model.", ""),
          Map.entry("embed_tokens", "tok_embeddings"),
          Map.entry("lm_head", "output"),
          Map.entry("self_attn.q_proj", "attention.wq"),
          Map.entry("self_attn.k_proj", "attention.wk"),
          Map.entry("self_attn.v_proj", "attention.wv"),
          Map.entry("self_attn.o_proj", "attention.wo"),
          Map.entry("mlp.gate_proj", "feed_forward.w1"),
          Map.entry("mlp.down_proj", "feed_forward.w2"),
          Map.entry("mlp.up_proj", "feed_forward.w3"));

  private RawRelease() {}

  /** params.json, consolidated.safetensors and the tokenizer's files. */
  public static Path write(Path folder) throws IOException {
    Files.createDirectories(folder);
    JsonNode config = JSON.readTree(WRITER.resolve("config.json").toFile());
    ObjectNode params = JSON.createObjectNode();
    params.set("dim", config.get("hidden_size"));
    params.set("n_layers", config.get("num_hidden_layers"));
    params.set("head_dim", config.get("head_dim"));
    params.set("hidden_dim", config.get("intermediate_size"));
    params.set("n_heads", config.get("num_attention_heads"));
    params.set("n_kv_heads", config.get("num_key_value_heads"));
    params.set("norm_eps", config.get("rms_norm_eps"));
    params.set("vocab_size", config.get("vocab_size"));
    params.put("sliding_window", config.get("sliding_window").asText());
    params.set("max_seq_len", config.get("max_position_embeddings"));
    params.set("rope_theta", config.at("/rope_parameters/rope_theta"));
    Files.writeString(folder.resolve("params.json"), params.toPrettyString());
    byte[] file = Files.readAllBytes(WRITER.resolve("model.safetensors"));
    Files.write(
        folder.resolve("consolidated.safetensors"), raw(file, config.get("head_dim").asInt()));
    for (String name :
        List.of("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")) {
      Files.copy(WRITER.resolve(name), folder.resolve(name));
    }
    return folder;
  }

  private static byte[] raw(byte[] file, int headDim) throws IOException {
    int length = (int) ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getLong();
    JsonNode header = JSON.readTree(file, Long.BYTES, length);
    ObjectNode renamed = JSON.createObjectNode();
    ByteArrayOutputStream data = new ByteArrayOutputStream();
    for (Map.Entry<String, JsonNode> tensor : header.properties()) {
      if (!tensor.getKey().equals("__metadata__")) {
        int from = Long.BYTES + length + tensor.getValue().at("/data_offsets/0").asInt();
        int to = Long.BYTES + length + tensor.getValue().at("/data_offsets/1").asInt();
        byte[] bytes = Arrays.copyOfRange(file, from, to);
        boolean turned = tensor.getKey().contains("q_proj") || tensor.getKey().contains("k_proj");
        int rows = tensor.getValue().at("/shape/0").asInt();
        ObjectNode own = renamed.putObject(rawName(tensor.getKey()));
        own.set("dtype", tensor.getValue().get("dtype"));
        own.set("shape", tensor.getValue().get("shape"));
        own.putArray("data_offsets").add(data.size()).add(data.size() + bytes.length);
        data.writeBytes(turned ? interleaved(bytes, rows, headDim) : bytes);
      }
    }
    byte[] text = renamed.toString().getBytes(StandardCharsets.UTF_8);
    ByteBuffer whole =
        ByteBuffer.allocate(Long.BYTES + text.length + data.size())
            .order(ByteOrder.LITTLE_ENDIAN)
            .putLong(text.length);
    return whole.put(text).put(data.toByteArray()).array();
  }

  /** Row (head, half p, i) becomes row (head, 2i + p). */
  private static byte[] interleaved(byte[] bytes, int rows, int headDim) {
    int rowBytes = bytes.length / rows;
    byte[] turned = new byte[bytes.length];
    for (int row = 0; row < rows; row++) {
      int half = row % headDim / (headDim / 2);
      int pair = row % (headDim / 2);
      int raw = row - row % headDim + 2 * pair + half;
      System.arraycopy(bytes, row * rowBytes, turned, raw * rowBytes, rowBytes);
    }
    return turned;
  }

  private static String rawName(String name) {
    String raw = name;
    for (Map.Entry<String, String> entry : NAMES) {
      raw = raw.replace(entry.getKey(), entry.getValue());
    }
    return raw;
  }
}
