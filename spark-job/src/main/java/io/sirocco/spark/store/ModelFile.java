package io.sirocco.spark.store;

import io.sirocco.checkpoint.ModelException;
import io.sirocco.checkpoint.SentenceFiles;
import java.io.IOException;
import java.io.Serializable;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;

/**
 * A file of a remote model, as its file system lists it.
 *
 * @param name within the model's folder: a plain name, or one in a folder of {@link #FOLDERS}
 * @param size in bytes
 * @param modified in milliseconds since 1970
 * @param checksum of the file system, {@code ALGORITHM:hexadecimal digits}; empty if it has none
 * @param sha256 that the model's publisher gives, in hexadecimal digits; empty if there is none
 */
public record ModelFile(String name, long size, long modified, String checksum, String sha256)
    implements Serializable {
  /** Further templates of a model that chats. */
  static final String TEMPLATES = "additional_chat_templates";

  /** The folders that a model may have within its own. */
  static final List<String> FOLDERS = List.of(TEMPLATES, SentenceFiles.POOLING_FOLDER);

  /** What the cache itself writes beside the files of a model. */
  static final String RESERVED = "manifest.json";

  /** Of milliseconds since 1970. */
  private static final int TIME_BITS = 40;

  private static final Pattern NAME =
      Pattern.compile(
          "((" + String.join("|", FOLDERS) + ")/)?(?!\\.{1,2}$)[!-~&&[^/\\\\:]]{1,255}");

  public ModelFile {
    Objects.requireNonNull(checksum, "checksum");
    Objects.requireNonNull(sha256, "sha256");
    if (!NAME.matcher(name).matches() || name.equals(RESERVED)) {
      throw new ModelException(name, "is not a name that a file of a model can have");
    }
    if (size < 0) {
      throw new ModelException(name, "has a size of " + size);
    }
  }

  ModelFile withSha256(String digest) {
    return new ModelFile(name, size, modified, checksum, digest);
  }

  ModelFile withChecksum(String found) {
    return new ModelFile(name, size, modified, found, sha256);
  }

  /**
   * Gives a copy of it the time that its content has: prepared weights are told apart by the times
   * of a model's files, and a file's own time may stay where its content changes.
   */
  void setContentTime(Path copy) throws IOException {
    Files.setLastModifiedTime(copy, FileTime.fromMillis(contentTime()));
  }

  /** Some moment before 2005 that follows from the checksums; its own time where there are none. */
  private long contentTime() {
    if (!hasChecksum()) {
      return modified;
    }
    byte[] content = (checksum + " " + sha256).getBytes(StandardCharsets.UTF_8);
    byte[] digest = Digests.sha256().digest(content);
    return ByteBuffer.wrap(digest).getLong() & ((1L << TIME_BITS) - 1);
  }

  /** Whether it holds tensors, rather than text about them. */
  boolean isWeights() {
    return name.endsWith(".safetensors") || name.endsWith(".bin");
  }

  boolean hasChecksum() {
    return !checksum.isEmpty();
  }

  /** Whether {@code now} has the same content, as far as its file system tells. */
  boolean sameContent(ModelFile now) {
    return size == now.size
        && checksum.equals(now.checksum)
        && (hasChecksum() || modified == now.modified);
  }

  /** For people. */
  String describe() {
    return size
        + " bytes, "
        + (hasChecksum() ? checksum : "modified " + Instant.ofEpochMilli(modified));
  }
}
