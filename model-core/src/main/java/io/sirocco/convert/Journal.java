package io.sirocco.convert;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Which files of a conversion are complete, and the checksums of their tensors: a line of JSON for
 * each, written when the file is on the disk and has been read back. A line that a crash has cut
 * off counts for nothing.
 */
final class Journal {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final long MAX_BYTES = 64L << 20;
  private static final String CONVERSION = "conversion";
  private static final String FILE = "file";
  private static final String CHECKSUMS = "crc32c";

  private final Path path;

  /** Read by the thread that writes, while the one that reads back adds. */
  private final Map<String, List<Long>> complete = new ConcurrentHashMap<>();

  private Journal(Path path) {
    this.path = path;
  }

  /** The journal of that conversion; empty if there is none, or one of another conversion. */
  static Optional<Journal> find(Path path, String conversion) throws IOException {
    if (!Files.isRegularFile(path) || Files.size(path) > MAX_BYTES) {
      return Optional.empty();
    }
    Journal journal = new Journal(path);
    List<String> lines =
        new String(Files.readAllBytes(path), StandardCharsets.UTF_8)
            .lines()
            .filter(line -> !line.isBlank())
            .toList();
    if (lines.isEmpty() || !parse(lines.get(0)).path(CONVERSION).asText().equals(conversion)) {
      return Optional.empty();
    }
    for (String line : lines.subList(1, lines.size())) {
      JsonNode entry = parse(line);
      List<Long> checksums = new ArrayList<>();
      entry.path(CHECKSUMS).forEach(checksum -> checksums.add(checksum.asLong()));
      journal.complete.put(entry.path(FILE).asText(), List.copyOf(checksums));
    }
    return Optional.of(journal);
  }

  /** A new one, in place of what is there. */
  static Journal begin(Path path, String conversion) throws IOException {
    Files.deleteIfExists(path);
    Journal journal = new Journal(path);
    journal.append(JsonNodeFactory.instance.objectNode().put(CONVERSION, conversion));
    return journal;
  }

  /** The checksums of a complete file's tensors. */
  Optional<List<Long>> checksums(String file) {
    return Optional.ofNullable(complete.get(file));
  }

  /** The file is complete, and on the disk. */
  void add(String file, List<Long> checksums) throws IOException {
    ObjectNode entry = JsonNodeFactory.instance.objectNode().put(FILE, file);
    checksums.forEach(entry.putArray(CHECKSUMS)::add);
    append(entry);
    complete.put(file, List.copyOf(checksums));
  }

  /** Behind a line end, so that what a crash has left of a line before it stays alone. */
  private void append(ObjectNode entry) throws IOException {
    ByteBuffer line = ByteBuffer.wrap(("\n" + entry + "\n").getBytes(StandardCharsets.UTF_8));
    try (FileChannel out =
        FileChannel.open(
            path, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.APPEND)) {
      while (line.hasRemaining()) {
        out.write(line);
      }
      out.force(true);
    }
  }

  private static JsonNode parse(String line) {
    try {
      JsonNode node = JSON.readTree(line);
      return node == null ? JsonNodeFactory.instance.objectNode() : node;
    } catch (JsonProcessingException e) {
      return JsonNodeFactory.instance.objectNode();
    }
  }
}
