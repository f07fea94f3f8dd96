import type { AnyProjection } from '../rows/projection.ts'
import { messageTimers } from './message-timers.ts'
import { messages } from './messages.ts'
import { readMarks } from './read-marks.ts'
import { roomMembers } from './room-members.ts'
import { rooms } from './rooms.ts'

export const roomsModels: readonly AnyProjection[] = [rooms, messages, roomMembers, readMarks, messageTimers]
