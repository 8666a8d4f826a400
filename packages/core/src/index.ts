/**
 * Full-duplex voice agents on Effect, for servers and browsers. Modules of their own, not exported here: `BidiConsole` (for
 * terminals), `BidiTest` and `BidiConformance` (for tests), and what the authors of adapters need (`adapter/*`).
 *
 * @since 0.1.0
 */
export * as AgentState from "./AgentState.ts"
export * as Audio from "./Audio.ts"
export * as AudioRecorder from "./AudioRecorder.ts"
export * as BidiAgent from "./BidiAgent.ts"
export * as BidiError from "./BidiError.ts"
export * as BidiEvent from "./BidiEvent.ts"
export * as BidiInput from "./BidiInput.ts"
export * as BidiJson from "./BidiJson.ts"
export * as BidiModel from "./BidiModel.ts"
export * as BidiOutput from "./BidiOutput.ts"
export * as BidiTelemetry from "./BidiTelemetry.ts"
export * as BidiTool from "./BidiTool.ts"
export * as BidiTools from "./BidiTools.ts"
export * as CallReport from "./CallReport.ts"
export * as ContextPolicy from "./ContextPolicy.ts"
export * as CurrentConversation from "./CurrentConversation.ts"
export * as ModelRecorder from "./ModelRecorder.ts"
export * as SessionExport from "./SessionExport.ts"
export * as SessionLog from "./SessionLog.ts"
export * as SessionRecord from "./SessionRecord.ts"
export * as SessionStore from "./SessionStore.ts"
export * as Transcript from "./Transcript.ts"
