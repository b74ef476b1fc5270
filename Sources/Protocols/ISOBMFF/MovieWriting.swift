import Bytes

extension Movie {
    /// The `moov` of a file whose samples come in fragments: no samples, and `mvex`.
    func writeInitial(into bytes: inout [UInt8]) {
        bytes.box("moov") { moov in
            writeHeader(duration: 0, into: &moov)
            for track in tracks {
                let edits = track.origin == 0 ? [] : [Edit(duration: 0, mediaTime: track.origin)]
                track.write(SampleTable(), edits: edits, into: &moov)
            }
            moov.box("mvex") { mvex in
                for track in tracks {
                    mvex.fullBox("trex") {
                        $0.append(uint32: track.id)
                        $0.append(uint32: 1)
                        $0.append(zeros: 12)
                    }
                }
            }
        }
    }

    /// The `moov` of an ordinary file. `tables` stand beside ``tracks``; a track without samples is left out. The first
    /// 255 `chapters` go into `chpl`, which VLC, mpv, Windows players and libavformat read.
    public func writeFinal(_ tables: [SampleTable], chapters: [Chapter] = [], into bytes: inout [UInt8]) {
        let parts = zip(tracks, tables).filter { !$0.1.isEmpty }
            .map { (track: $0.0, table: $0.1, edits: Edit.list(of: $0.1, in: $0.0)) }
        let duration = parts.map { $0.edits.reduce(0) { $0 &+ $1.duration } }.max() ?? 0
        bytes.box("moov") { moov in
            writeHeader(duration: duration, into: &moov)
            for part in parts { part.track.write(part.table, edits: part.edits, into: &moov) }
            if !chapters.isEmpty { moov.box("udta") { Chapter.write(chapters, into: &$0) } }
        }
    }

    private func writeHeader(duration: UInt64, into bytes: inout [UInt8]) {
        bytes.fullBox("mvhd", version: 1) {
            $0.append(uint64: creationTime)
            $0.append(uint64: creationTime)
            $0.append(uint32: Self.timescale)
            $0.append(uint64: duration)
            $0.append(uint32: 0x1_0000)  // rate
            $0.append(uint16: 0x100)  // volume
            $0.append(zeros: 10)
            $0.appendUnityMatrix()
            $0.append(zeros: 24)
            $0.append(uint32: (tracks.map(\.id).max() ?? 0) &+ 1)  // next_track_ID
        }
    }
}

extension MovieTrack {
    fileprivate func write(_ table: SampleTable, edits: [Edit], into bytes: inout [UInt8]) {
        bytes.box("trak") { trak in
            writeHeader(duration: edits.reduce(0) { $0 &+ $1.duration }, into: &trak)
            if !edits.isEmpty { trak.box("edts") { writeEdits(edits, into: &$0) } }
            trak.box("mdia") { mdia in
                writeMediaHeader(duration: table.isEmpty ? 0 : table.endTime &- table.firstTime, into: &mdia)
                mdia.fullBox("hdlr") {
                    $0.append(zeros: 4)
                    $0.append(uint32: kind.handler.rawValue)
                    $0.append(zeros: 12)
                    $0.append(contentsOf: name.utf8.filter { $0 != 0 })
                    $0.append(0)
                }
                mdia.box("minf") { minf in
                    writeKindHeader(into: &minf)
                    minf.box("dinf") { dinf in
                        dinf.fullBox("dref") {
                            $0.append(uint32: 1)
                            $0.fullBox("url ", flags: 1) { _ in }  // the media is in this file
                        }
                    }
                    minf.box("stbl") { table.write(entries: entries, isVideo: kind == .video, into: &$0) }
                }
            }
            if !name.isEmpty {
                trak.box("udta") { udta in udta.box("name") { $0.append(contentsOf: name.utf8) } }
            }
        }
    }

    private func writeHeader(duration: UInt64, into bytes: inout [UInt8]) {
        bytes.fullBox("tkhd", version: 1, flags: isDefault ? 7 : 6) {  // enabled, in movie, in preview
            $0.append(uint64: creationTime)
            $0.append(uint64: creationTime)
            $0.append(uint32: id)
            $0.append(zeros: 4)
            $0.append(uint64: duration)
            $0.append(zeros: 8)
            $0.append(uint16: 0)  // layer
            $0.append(uint16: kind.alternateGroup)
            $0.append(uint16: kind == .audio ? 0x100 : 0)  // volume
            $0.append(zeros: 2)
            $0.appendUnityMatrix()
            let picture = kind == .video ? entries.first : nil
            $0.append(uint32: (picture?.displayWidth ?? 0) << 16)
            $0.append(uint32: UInt32(picture?.height ?? 0) << 16)
        }
    }

    private func writeEdits(_ edits: [Edit], into bytes: inout [UInt8]) {
        bytes.fullBox("elst", version: 1) {
            $0.append(uint32: UInt32(edits.count))
            for edit in edits {
                $0.append(uint64: edit.duration)
                $0.append(int64: edit.mediaTime)
                $0.append(uint32: 0x1_0000)  // media rate 1
            }
        }
    }

    private func writeMediaHeader(duration: Int64, into bytes: inout [UInt8]) {
        bytes.fullBox("mdhd", version: 1) {
            $0.append(uint64: creationTime)
            $0.append(uint64: creationTime)
            $0.append(uint32: timescale)
            $0.append(int64: max(0, duration))
            $0.append(uint16: 0x55C4)  // language und
            $0.append(uint16: 0)
        }
    }

    private func writeKindHeader(into bytes: inout [UInt8]) {
        switch kind {
        case .video: bytes.fullBox("vmhd", flags: 1) { $0.append(zeros: 8) }
        case .audio: bytes.fullBox("smhd") { $0.append(zeros: 4) }
        }
    }
}
