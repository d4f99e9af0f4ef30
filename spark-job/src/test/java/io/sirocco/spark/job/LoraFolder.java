package io.sirocco.spark.job;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** A random LoRA adapter for the ticket classifier, in a folder as PEFT writes it. */
final class LoraFolder {
  private static final int HIDDEN = 128;
  private static final int LAYERS = 4;
  private static final int RANK = 4;

  private LoraFolder() {}

  /** Branches on q_proj and down_proj of every layer. */
  static Path write(Path folder, long seed) throws IOException {
    Files.createDirectories(folder);
    Files.writeString(
        folder.resolve("adapter_config.json"),
        """
        {"peft_type": "LORA", "task_type": "SEQ_CLS", "r": 4, "lora_alpha": 8, "bias": "none",
         "target_modules": ["q_proj", "down_proj"], "modules_to_save": ["classifier", "score"]}
        """);
    Random random = new Random(seed);
    List<String> header = new ArrayList<>();
    ByteBuffer values = ByteBuffer.allocate(1 << 20).order(ByteOrder.LITTLE_ENDIAN);
    for (int layer = 0; layer < LAYERS; layer++) {
      String module = "base_model.model.model.layers." + layer;
      branch(module + ".self_attn.q_proj", HIDDEN, HIDDEN, random, header, values);
      branch(module + ".mlp.down_proj", HIDDEN, 352, random, header, values);
    }
    tensor("base_model.model.score.weight", 6, HIDDEN, random, header, values);
    byte[] json = ("{" + String.join(",", header) + "}").getBytes(StandardCharsets.UTF_8);
    ByteBuffer file =
        ByteBuffer.allocate(8 + json.length + values.position()).order(ByteOrder.LITTLE_ENDIAN);
    file.putLong(json.length).put(json).put(values.flip());
    Files.write(folder.resolve("adapter_model.safetensors"), file.array());
    return folder;
  }

  private static void branch(
      String module,
      int outputs,
      int inputs,
      Random random,
      List<String> header,
      ByteBuffer values) {
    tensor(module + ".lora_A.weight", RANK, inputs, random, header, values);
    tensor(module + ".lora_B.weight", outputs, RANK, random, header, values);
  }

  private static void tensor(
      String name, int rows, int columns, Random random, List<String> header, ByteBuffer values) {
    int from = values.position();
    for (int i = 0; i < rows * columns; i++) {
      values.putFloat((float) random.nextGaussian() * 0.1f);
    }
    header.add(
        "\"%s\":{\"dtype\":\"F32\",\"shape\":[%d,%d],\"data_offsets\":[%d,%d]}"
            .formatted(name, rows, columns, from, values.position()));
  }
}
