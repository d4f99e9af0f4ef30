package io.sirocco.checkpoint;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/** Computes {@link Checkpoint#fingerprint}. */
final class Fingerprint {
  /** What a row's results can depend on, besides tensors, tokenizer and {@link SentenceFiles}. */
  private static final List<String> SMALL_FILES =
      List.of(
          "config.json",
          "generation_config.json",
          RawTokenizers.CONVERTED,
          "tokenizer_config.json",
          "special_tokens_map.json",
          "chat_template.jinja",
          "additional_chat_templates/tool_use.jinja");

  private Fingerprint() {}

  /** {@code sizes}: the file that says which weights there are, config.json or params.json. */
  static String of(Path folder, String sizes, List<WeightFile> files) {
    List<String> small = new ArrayList<>(SMALL_FILES);
    small.addAll(SentenceFiles.countingWhere(name -> Files.isRegularFile(folder.resolve(name))));
    if (!small.contains(sizes)) {
      small.add(sizes);
    }
    RawTokenizers.among(name -> Files.isRegularFile(folder.resolve(name))).ifPresent(small::add);
    return of(folder, small, files);
  }

  /** Of these small files, as far as they are there, whole, and of samples of those of weights. */
  static String of(Path folder, List<String> small, List<WeightFile> files) {
    try {
      MessageDigest digest = sha256();
      for (String name : small) {
        Path file = folder.resolve(name);
        if (Files.isRegularFile(file)) {
          digest.update(name.getBytes(StandardCharsets.UTF_8));
          digest.update(ByteBuffer.allocate(Long.BYTES).putLong(Files.size(file)).flip());
          whole(file, digest);
        }
      }
      for (WeightFile file : files) {
        weights(file, digest);
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (IOException e) {
      throw new ModelException(folder.toString(), "cannot be read: " + e, e);
    }
  }

  /**
   * Of the weights alone, as they lie on this disk: a file that is changed in place has another
   * time.
   */
  static String ofWeights(List<WeightFile> files) {
    try {
      MessageDigest digest = sha256();
      for (WeightFile file : files) {
        long modified = Files.getLastModifiedTime(file.file()).toMillis();
        digest.update(ByteBuffer.allocate(Long.BYTES).putLong(modified).flip());
        weights(file, digest);
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (IOException e) {
      throw new ModelException(files.get(0).file().toString(), "cannot be read: " + e, e);
    }
  }

  static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  private static void whole(Path file, MessageDigest digest) throws IOException {
    byte[] bytes = new byte[1 << 16];
    try (InputStream in = Files.newInputStream(file)) {
      for (int read = in.read(bytes); read >= 0; read = in.read(bytes)) {
        digest.update(bytes, 0, read);
      }
    }
  }

  private static void weights(WeightFile file, MessageDigest digest) throws IOException {
    digest.update(file.header());
    digest.update(ByteBuffer.allocate(Long.BYTES).putLong(file.fileSize()).flip());
    sample(file, digest);
  }

  private static void sample(WeightFile file, MessageDigest digest) throws IOException {
    try (FileChannel channel = FileChannel.open(file.file(), StandardOpenOption.READ)) {
      for (WeightFile.Entry entry : file.entries()) {
        for (WeightFiles.Part part : WeightFiles.samples(entry)) {
          ByteBuffer bytes = ByteBuffer.allocate(part.size());
          while (bytes.hasRemaining()
              && channel.read(bytes, part.offset() + bytes.position()) >= 0) {
            // read() may return less than asked for
          }
          digest.update(bytes.flip());
        }
      }
    }
  }
}
