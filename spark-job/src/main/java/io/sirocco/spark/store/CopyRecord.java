package io.sirocco.spark.store;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.zip.Checksum;

/**
 * What the cache knows of a copy, beside its files.
 *
 * @param source URI that it is a copy of
 * @param files all that belong to it
 */
record CopyRecord(String source, List<CopiedFile> files) {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int CHUNK = 1 << 20;

  /**
   * @param crc as {@link CrcKind#spell}; empty as long as it is not known
   */
  record CopiedFile(String name, long size, String crc) {}

  CopyRecord {
    files = List.copyOf(files);
  }

  /** Of a model that is not here yet. */
  static CopyRecord expected(ModelManifest manifest) {
    return new CopyRecord(
        manifest.source(),
        manifest.files().stream()
            .map(file -> new CopiedFile(file.name(), file.size(), ""))
            .toList());
  }

  /** Empty where there is none that can be read. */
  static Optional<CopyRecord> read(Path folder) {
    Path file = folder.resolve(ModelFile.RESERVED);
    if (!Files.isRegularFile(file)) {
      return Optional.empty();
    }
    try {
      JsonNode root = JSON.readTree(Files.readAllBytes(file));
      List<CopiedFile> files = new ArrayList<>();
      for (JsonNode entry : root.path("files")) {
        files.add(
            new CopiedFile(
                entry.path("name").asText(),
                entry.path("size").asLong(-1),
                entry.path("crc").asText()));
      }
      return Optional.of(new CopyRecord(root.path("source").asText(), files));
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /** Safe on the disk when this returns. */
  void write(Path folder) throws IOException {
    try (FileChannel channel =
        FileChannel.open(
            folder.resolve(ModelFile.RESERVED),
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE)) {
      ByteBuffer bytes = ByteBuffer.wrap(json());
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
      channel.force(true);
    }
  }

  private byte[] json() throws JsonProcessingException {
    ObjectNode root = JSON.createObjectNode();
    root.put("source", source);
    for (CopiedFile file : files) {
      root.withArray("files")
          .addObject()
          .put("name", file.name())
          .put("size", file.size())
          .put("crc", file.crc());
    }
    return JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(root);
  }

  long bytes() {
    return files.stream().mapToLong(CopiedFile::size).sum();
  }

  boolean isOf(ModelManifest manifest) {
    return files.stream()
        .map(file -> new CopiedFile(file.name(), file.size(), ""))
        .toList()
        .equals(expected(manifest).files());
  }

  boolean hasSizes(Path folder) throws IOException {
    for (CopiedFile file : files) {
      Path copy = folder.resolve(file.name());
      if (!Files.isRegularFile(copy) || Files.size(copy) != file.size()) {
        return false;
      }
    }
    return true;
  }

  /** Reads all of the files. */
  boolean hasChecksums(Path folder) throws IOException {
    for (CopiedFile file : files) {
      try (FileChannel channel =
          FileChannel.open(folder.resolve(file.name()), StandardOpenOption.READ)) {
        CrcKind kind = CrcKind.CRC32.computes(file.crc()) ? CrcKind.CRC32 : CrcKind.CRC32C;
        if (!kind.spell(crc(channel, kind, 0, file.size())).equals(file.crc())) {
          return false;
        }
      }
    }
    return true;
  }

  /** Of a part of a file; of what there is of it, if the file is shorter. */
  static int crc(FileChannel channel, CrcKind kind, long offset, long size) throws IOException {
    Checksum crc = kind.start();
    ByteBuffer buffer = ByteBuffer.allocate((int) Math.min(CHUNK, Math.max(1, size)));
    for (long done = 0; done < size; ) {
      buffer.clear().limit((int) Math.min(buffer.capacity(), size - done));
      int read = channel.read(buffer, offset + done);
      if (read < 0) {
        break;
      }
      crc.update(buffer.flip());
      done += read;
    }
    return (int) crc.getValue();
  }
}
